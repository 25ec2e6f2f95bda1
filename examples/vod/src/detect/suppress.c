// Non-maximum suppression, class by class.
#include <stdlib.h>

#include "detections.h"

// Weights made to find everything everywhere must not make this quadratic step endless.
enum { KEPT_BEFORE = 4096 };

static int by_falling_score(const void *a, const void *b) {
  const struct detection *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? 1 : -1;
  if (x->class != y->class) return x->class - y->class;
  return x->left < y->left ? -1 : x->left > y->left;
}

static float shared(float from_a, float size_a, float from_b, float size_b) {
  float from = from_a > from_b ? from_a : from_b;
  float end_a = from_a + size_a, end_b = from_b + size_b;
  float end = end_a < end_b ? end_a : end_b;
  return end > from ? end - from : 0;
}

static float intersection_over_union(const struct detection *a, const struct detection *b) {
  float both = shared(a->left, a->width, b->left, b->width) *
               shared(a->top, a->height, b->top, b->height);
  float all = a->width * a->height + b->width * b->height - both;
  return all > 0 ? both / all : 0;
}

// False when nothing of the box lies inside the picture.
static int clip(struct detection *d, float width, float height) {
  float left = d->left > 0 ? d->left : 0, top = d->top > 0 ? d->top : 0;
  float right = d->left + d->width, bottom = d->top + d->height;
  if (right > width) right = width;
  if (bottom > height) bottom = height;
  d->left = left, d->top = top, d->width = right - left, d->height = bottom - top;
  return d->width > 0 && d->height > 0;
}

void finish_detections(struct detections *found, float overlap, int frame_width,
                       int frame_height) {
  int kept = 0;
  if (found->count == 0) return;
  qsort(found->items, (size_t)found->count, sizeof *found->items, by_falling_score);
  int count = found->count < KEPT_BEFORE ? found->count : KEPT_BEFORE;
  for (int i = 0; i < count; i++) {
    struct detection candidate = found->items[i];
    int covered = 0;
    for (int k = 0; k < kept && !covered; k++) {
      const struct detection *better = &found->items[k];
      covered = better->class == candidate.class &&
                intersection_over_union(better, &candidate) > overlap;
    }
    if (!covered) found->items[kept++] = candidate;
  }
  found->count = 0;
  for (int i = 0; i < kept; i++) {
    struct detection candidate = found->items[i];
    if (clip(&candidate, (float)frame_width, (float)frame_height)) {
      found->items[found->count++] = candidate;
    }
  }
}
