// darknet's layer table, column for column.
#include "table.h"

#include <stdio.h>

static void print_shapes(const struct layer *l) {
  fprintf(stderr, "%4d x%4d x%4d   ->  %4d x%4d x%4d", l->in.width, l->in.height, l->in.channels,
          l->out.width, l->out.height, l->out.channels);
}

static void print_layer(const struct layer *l) {
  switch (l->kind) {
    case CONVOLUTION:
      fprintf(stderr, "conv  %5d %2d x%2d /%2d  ", l->out.channels, l->size, l->size, l->stride);
      print_shapes(l);
      fprintf(stderr, "  %5.3f BFLOPs", layer_bflops(l));
      return;
    case MAX_POOL:
      fprintf(stderr, "max         %2d x%2d /%2d  ", l->size, l->size, l->stride);
      print_shapes(l);
      return;
    case UPSAMPLE:
      fprintf(stderr, "upsample           %2dx  ", l->stride);
      print_shapes(l);
      return;
    case ROUTE:
      fprintf(stderr, "route ");
      for (int i = 0; i < l->source_count; i++) fprintf(stderr, " %d", l->sources[i]);
      if (l->groups > 1) fprintf(stderr, "  %d/%d", l->group, l->groups);
      return;
    case SHORTCUT:
      fprintf(stderr, "res  %3d                ", l->sources[0]);
      print_shapes(l);
      return;
    case DROPOUT: fprintf(stderr, "dropout"); return;
    case YOLO: fprintf(stderr, "yolo"); return;
    case REGION: fprintf(stderr, "detection"); return;
  }
}

void print_layers(const struct network *n) {
  fprintf(stderr, "layer     filters    size              input                output\n");
  for (int i = 0; i < n->layer_count; i++) {
    fprintf(stderr, "%5d ", i);
    print_layer(&n->layers[i]);
    fputc('\n', stderr);
  }
}
