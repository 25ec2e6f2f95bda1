// From a grid of raw values to boxes, after YOLOv3 and YOLOv2. Activations are computed only for
// anchors whose objectness reaches the threshold: nearly none.
#include <math.h>

#include "base/memory.h"
#include "network/activate.h"
#include "detections.h"

enum { VALUES_PER_BOX = 5, OBJECTNESS = 4 };

// Below this objectness nothing is an object, whatever threshold is asked for.
static const float least_objectness = 0.1f;

struct cell {
  const struct layer *layer;
  const float *values;  // of this anchor and cell; the next value lies `cells` further
  size_t cells;
  int anchor, column, row;
};

static float value_of(const struct cell *cell, int number) {
  return cell->values[(size_t)number * cell->cells];
}

static float centre(const struct cell *cell, int number, int at, int cells) {
  float scale = cell->layer->scale_xy;
  float inside = logistic(value_of(cell, number)) * scale - (scale - 1) / 2;
  return ((float)at + inside) / (float)cells;
}

// Anchors are in pixels of the network's input for yolo, in cells for region.
static float extent(const struct cell *cell, int number, int yolo_size, int cells) {
  int unit = cell->layer->kind == YOLO ? yolo_size : cells;
  float anchor = cell->layer->anchors[2 * cell->anchor + number - 2];
  return expf(value_of(cell, number)) * anchor / (float)unit;
}

// The box in pixels of the picture; the letterbox's border is taken off.
static struct detection box_of(const struct cell *cell, const struct reading *r) {
  const struct letterbox *box = &r->box;
  float width_scale = (float)r->frame_width / (float)box->inner_width;
  float height_scale = (float)r->frame_height / (float)box->inner_height;
  float x = centre(cell, 0, cell->column, cell->layer->in.width) * (float)box->width;
  float y = centre(cell, 1, cell->row, cell->layer->in.height) * (float)box->height;
  float w = extent(cell, 2, box->width, cell->layer->in.width) * (float)box->width;
  float h = extent(cell, 3, box->height, cell->layer->in.height) * (float)box->height;
  return (struct detection){.left = (x - w / 2 - (float)box->left) * width_scale,
                            .top = (y - h / 2 - (float)box->top) * height_scale,
                            .width = w * width_scale,
                            .height = h * height_scale};
}

// A region's class scores are a softmax or logistic; the divisor of the softmax, with its maximum.
static float softmax_sum(const struct cell *cell, float *most) {
  float sum = 0;
  *most = value_of(cell, VALUES_PER_BOX);
  for (int c = 1; c < cell->layer->classes; c++) {
    *most = fmaxf(*most, value_of(cell, VALUES_PER_BOX + c));
  }
  for (int c = 0; c < cell->layer->classes; c++) {
    sum += expf(value_of(cell, VALUES_PER_BOX + c) - *most);
  }
  return sum;
}

static void add(struct detections *found, const struct detection *item) {
  if (found->count == found->capacity) {
    found->capacity = found->capacity == 0 ? 64 : 2 * found->capacity;
    found->items = enlarge(found->items, (size_t)found->capacity, sizeof *item, "detections");
  }
  found->items[found->count++] = *item;
}

static void collect_cell(struct detections *found, const struct cell *cell,
                         const struct reading *r) {
  const struct layer *l = cell->layer;
  float objectness = l->background ? 1 : logistic(value_of(cell, OBJECTNESS));
  if (!(objectness > least_objectness) || !(objectness > r->threshold)) return;
  struct detection box = box_of(cell, r);
  if (!isfinite(box.left + box.top + box.width + box.height)) return;
  float most = 0, sum = l->softmax ? softmax_sum(cell, &most) : 1;
  for (int c = 0; c < l->classes; c++) {
    float raw = value_of(cell, VALUES_PER_BOX + c);
    box.score = objectness * (l->softmax ? expf(raw - most) / sum : logistic(raw));
    box.class = c;
    if (box.score > r->threshold) add(found, &box);
  }
}

void collect_detections(struct detections *found, const struct layer *l,
                        const struct reading *reading) {
  size_t cells = (size_t)l->in.width * (size_t)l->in.height;
  struct cell cell = {.layer = l, .cells = cells};
  for (cell.anchor = 0; cell.anchor < l->anchor_count; cell.anchor++) {
    size_t first = (size_t)cell.anchor * (size_t)(l->classes + VALUES_PER_BOX) * cells;
    for (size_t i = 0; i < cells; i++) {
      cell.row = (int)(i / (size_t)l->in.width);
      cell.column = (int)(i % (size_t)l->in.width);
      cell.values = l->output + first + i;
      collect_cell(found, &cell, reading);
    }
  }
}
