// [yolo] of YOLOv3 and later, [region] of YOLOv2. Both read a grid of anchors, each with a box, an
// objectness and a score per class.
#include <string.h>

#include "base/fail.h"
#include "read-layer.h"

enum { CLASSES_LIMIT = 10000 };

// Options that only training looks at.
static void ignore_training(struct section *section) {
  static const char *const keys[] = {
      "jitter", "ignore_thresh", "truth_thresh", "random", "rescore", "absolute", "thresh",
      "bias_match", "object_scale", "noobject_scale", "class_scale", "coord_scale", "max",
      "iou_thresh", "cls_normalizer", "iou_normalizer", "iou_loss", "nms_kind", "beta_nms",
      "obj_normalizer", "max_delta", "resize", "focal_loss", "label_smooth_eps", NULL};
  for (int i = 0; keys[i] != NULL; i++) (void)option_text(section, keys[i], NULL);
}

static void refuse(const struct section *section, const char *reason) {
  fail(EXIT_NETWORK, "[%s] of line %d: %s", section->name, section->line, reason);
}

static void finish(struct section *section, struct layer *layer) {
  ignore_training(section);
  layer->out = layer->in;
  if (layer->in.channels != layer->anchor_count * (layer->classes + 5)) {
    fail(EXIT_NETWORK,
         "[%s] of line %d: %d anchors of 5 + %d values need %d channels, the layer before has %d",
         section->name, section->line, layer->anchor_count, layer->classes,
         layer->anchor_count * (layer->classes + 5), layer->in.channels);
  }
}

void read_yolo(struct section *section, struct layer *layer) {
  float mask[ANCHORS], anchors[2 * ANCHORS];
  layer->kind = YOLO;
  layer->classes = option_int(section, "classes", 20, 1, CLASSES_LIMIT);
  layer->scale_xy = option_float(section, "scale_x_y", 1);
  int total = option_int(section, "num", 1, 1, ANCHORS);
  int numbers = option_list(section, "anchors", anchors, 2 * ANCHORS);
  layer->anchor_count = option_list(section, "mask", mask, ANCHORS);
  if (numbers != 2 * total) refuse(section, "anchors needs two numbers for each of num");
  if (option_int(section, "new_coords", 0, 0, 1) != 0) {
    refuse(section, "new_coords is not supported");
  }
  if (layer->anchor_count == 0) {
    layer->anchor_count = total;
    for (int i = 0; i < total; i++) mask[i] = (float)i;
  }
  for (int i = 0; i < layer->anchor_count; i++) {
    int at = (int)mask[i];
    if ((float)at != mask[i] || at < 0 || at >= total) refuse(section, "mask names no anchor");
    layer->anchors[2 * i] = anchors[2 * at];
    layer->anchors[2 * i + 1] = anchors[2 * at + 1];
  }
  finish(section, layer);
}

void read_region(struct section *section, struct layer *layer) {
  layer->kind = REGION;
  layer->classes = option_int(section, "classes", 20, 1, CLASSES_LIMIT);
  layer->anchor_count = option_int(section, "num", 1, 1, ANCHORS);
  layer->softmax = option_int(section, "softmax", 0, 0, 1) == 1;
  layer->background = option_int(section, "background", 0, 0, 1) == 1;
  layer->scale_xy = 1;
  if (option_int(section, "coords", 4, 0, 64) != 4) refuse(section, "coords other than 4");
  if (option_text(section, "tree", NULL) != NULL) refuse(section, "tree is not supported");
  if (option_text(section, "map", NULL) != NULL) refuse(section, "map is not supported");
  if (option_list(section, "anchors", layer->anchors, 2 * ANCHORS) != 2 * layer->anchor_count) {
    refuse(section, "anchors needs two numbers for each of num");
  }
  finish(section, layer);
}
