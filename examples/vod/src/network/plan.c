// An output is needed until the last layer that reads it; then its place is free for later ones.
// A shortcut whose input nobody else needs adds in place. Full YOLOv3 needs 30 MiB instead of 240.
#include "plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "convolution.h"

struct buffer {
  size_t floats, offset;
  int first, last;  // layers that write it first and read it last
};

bool is_alias(const struct layer *l) {
  return l->kind == DROPOUT || l->kind == YOLO || l->kind == REGION ||
         (l->kind == ROUTE && l->source_count == 1 && l->groups == 1);
}

// The last layer that reads layer `number`'s output, found by looking at all later ones.
static int last_reader(const struct network *n, int number) {
  int last = number;
  for (int i = number + 1; i < n->layer_count; i++) {
    const struct layer *l = &n->layers[i];
    if (i == number + 1 && l->kind != ROUTE) last = i;
    for (int s = 0; s < l->source_count; s++) {
      if (l->sources[s] == number) last = i;
    }
  }
  return last;
}

// The buffer that layer i may write into although it exists already, or -1.
static int reusable(const struct network *n, const struct buffer *buffers, int i) {
  const struct layer *l = &n->layers[i];
  if (i == 0) return -1;
  int before = n->layers[i - 1].buffer;
  if (is_alias(l)) return l->kind == ROUTE ? n->layers[l->sources[0]].buffer : before;
  if (l->kind != SHORTCUT || before < 0) return -1;
  bool read_later = buffers[before].last > i || n->layers[l->sources[0]].buffer == before;
  return read_later ? -1 : before;
}

// The lowest place where `b` overlaps no buffer that lives at the same time.
static void place(struct buffer *buffers, int count, struct buffer *b) {
  bool moved = true;
  b->offset = 0;
  while (moved) {
    moved = false;
    for (int i = 0; i < count; i++) {
      const struct buffer *o = &buffers[i];
      bool together = o->first <= b->last && b->first <= o->last;
      if (together && o->offset < b->offset + b->floats && b->offset < o->offset + o->floats) {
        b->offset = o->offset + o->floats;
        moved = true;
      }
    }
  }
}

void network_plan(struct network *n) {
  struct buffer *buffers = obtain((size_t)n->layer_count, sizeof *buffers, "the memory plan");
  int count = 0;
  for (int i = 0; i < n->layer_count; i++) {
    struct layer *l = &n->layers[i];
    int last = last_reader(n, i);
    l->buffer = reusable(n, buffers, i);
    if (l->buffer < 0 && is_alias(l)) continue;  // another name of the network's own input
    if (l->buffer < 0) {
      l->buffer = count;
      buffers[count++] = (struct buffer){.floats = (shape_floats(l->out) + 3) & ~(size_t)3,
                                         .first = i, .last = i};
    }
    if (buffers[l->buffer].last < last) buffers[l->buffer].last = last;
    if (l->kind == CONVOLUTION && convolution_scratch(l) > n->scratch_floats) {
      n->scratch_floats = convolution_scratch(l);
    }
  }
  for (int i = 0; i < count; i++) {
    place(buffers, i, &buffers[i]);
    size_t end = buffers[i].offset + buffers[i].floats;
    if (end > n->arena_floats) n->arena_floats = end;
  }
  n->input = obtain(shape_floats(n->in), sizeof(float), "the network's input");
  n->arena = obtain(n->arena_floats, sizeof(float), "the network's layers");
  n->scratch = obtain_raw(n->scratch_floats, sizeof(float), "the network's scratch space");
  for (int i = 0; i < n->layer_count; i++) {
    struct layer *l = &n->layers[i];
    l->output = l->buffer < 0 ? n->input : n->arena + buffers[l->buffer].offset;
  }
  free(buffers);
}
