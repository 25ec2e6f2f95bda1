// One layer after the other. Layers that find objects compute nothing here: detect/ reads their
// input, which is their output too, when the watcher reports them.
#include "forward.h"

#include "convolution.h"
#include "rearrange.h"

static void run_layer(const struct network *n, const struct layer *l, const float *in) {
  switch (l->kind) {
    case CONVOLUTION: convolve(l, in, n->scratch); return;
    case MAX_POOL: pool_max(l, in); return;
    case UPSAMPLE: upsample(l, in); return;
    case ROUTE: route(n, l); return;
    case SHORTCUT: add_shortcut(n, l, in); return;
    case DROPOUT:
    case YOLO:
    case REGION: return;
  }
}

void network_run(const struct network *n, layer_watcher *watch, void *context) {
  const float *in = n->input;
  for (int i = 0; i < n->layer_count; i++) {
    const struct layer *l = &n->layers[i];
    run_layer(n, l, in);
    if (watch) watch(context, i, l);
    in = l->output;
  }
}
