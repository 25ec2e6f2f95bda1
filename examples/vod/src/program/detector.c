// Opening the detector, and running it without a video.
#include "detector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/file.h"
#include "network/forward.h"
#include "network/plan.h"
#include "network/table.h"
#include "network/weights.h"
#include "paths.h"

static const float default_threshold = 0.3f;

static int class_count(const struct network *n) {
  int classes = 0;
  for (int i = 0; i < n->layer_count; i++) {
    const struct layer *l = &n->layers[i];
    if (l->kind != YOLO && l->kind != REGION) continue;
    if (classes != 0 && l->classes != classes) {
      fail(EXIT_NETWORK, "the network's detection layers differ in their number of classes");
    }
    classes = l->classes;
  }
  if (classes == 0) fail(EXIT_NETWORK, "the network has no yolo or region layer: it finds nothing");
  return classes;
}

void detector_open(struct detector *d, const struct options *options) {
  d->options = options;
  network_read(&d->network, NETWORK_PATH);
  print_layers(&d->network);
  labels_read(&d->labels, LABELS_PATH, class_count(&d->network));
  network_load(&d->network, WEIGHTS_PATH);
  fprintf(stderr, "Loading weights from program_data/yolov3.weights...Done!\n");
  network_plan(&d->network);
  d->threshold = options->threshold;
  if (d->threshold < 0) d->threshold = d->network.score_threshold;
  if (d->threshold < 0) d->threshold = default_threshold;
}

static void dump(const struct options *o, const char *name, const float *values, size_t count) {
  char path[256];
  if (snprintf(path, sizeof path, "%s/%s.f32", o->dump, name) >= (int)sizeof path) {
    fail(EXIT_USAGE, "--dump-layers: the directory's name is too long");
  }
  write_file(path, values, count * sizeof *values);
}

void dump_layer(const struct options *o, int number, const struct layer *layer) {
  char name[32];
  snprintf(name, sizeof name, "layer.%d", number);
  dump(o, name, layer->output, shape_floats(layer->out));
}

void dump_input(const struct options *o, const struct network *network) {
  dump(o, "input", network->input, shape_floats(network->in));
}

static void watch_layer(void *context, int number, const struct layer *layer) {
  const struct detector *d = context;
  if (d->options->dump) dump_layer(d->options, number, layer);
}

void detector_run_tensor(struct detector *d) {
  uint64_t length;
  size_t bytes = shape_floats(d->network.in) * sizeof(float);
  int file = open_input(d->options->tensor, &length);
  if (length != bytes) {
    fail(EXIT_INPUT, "%s has %llu bytes, the network's input %zu", d->options->tensor,
         (unsigned long long)length, bytes);
  }
  read_some(file, d->network.input, bytes, d->options->tensor);
  for (int i = 0; i < d->options->repeat; i++) {
    double begun = now_seconds();
    network_run(&d->network, i == 0 ? watch_layer : NULL, d);
    printf("Prediction duration: %f seconds\n", now_seconds() - begun);
  }
}
