// Pooling, upsampling, route and shortcut.
#include "rearrange.h"

#include <float.h>
#include <string.h>

#include "activate.h"

// The usual 2 x 2 pool with stride 2 over an even plane: no edge to look after.
static void pool_pairs(const float *in, int width, int height, float *out) {
  for (int y = 0; y < height; y += 2, in += 2 * width) {
    const float *below = in + width;
    for (int x = 0; x < width; x += 2) {
      float upper = in[x] > in[x + 1] ? in[x] : in[x + 1];
      float lower = below[x] > below[x + 1] ? below[x] : below[x + 1];
      *out++ = upper > lower ? upper : lower;
    }
  }
}

static float pool_window(const struct layer *l, const float *plane, int top, int left) {
  float most = -FLT_MAX;
  for (int y = top < 0 ? 0 : top; y < top + l->size && y < l->in.height; y++) {
    for (int x = left < 0 ? 0 : left; x < left + l->size && x < l->in.width; x++) {
      float value = plane[y * l->in.width + x];
      if (value > most) most = value;
    }
  }
  return most;
}

void pool_max(const struct layer *l, const float *in) {
  size_t in_plane = (size_t)l->in.width * (size_t)l->in.height;
  size_t out_plane = (size_t)l->out.width * (size_t)l->out.height;
  bool pairs = l->size == 2 && l->stride == 2 && l->padding <= 1 && l->in.width % 2 == 0 &&
               l->in.height % 2 == 0;
  int before = -(l->padding / 2);
  for (int c = 0; c < l->out.channels; c++) {
    const float *plane = in + (size_t)c * in_plane;
    float *out = l->output + (size_t)c * out_plane;
    if (pairs) {
      pool_pairs(plane, l->in.width, l->in.height, out);
      continue;
    }
    for (int y = 0; y < l->out.height; y++) {
      for (int x = 0; x < l->out.width; x++) {
        *out++ = pool_window(l, plane, before + y * l->stride, before + x * l->stride);
      }
    }
  }
}

void upsample(const struct layer *l, const float *in) {
  float *out = l->output;
  for (int row = 0; row < l->in.channels * l->in.height; row++, in += l->in.width) {
    const float *first = out;
    for (int x = 0; x < l->out.width; x++) *out++ = in[x / l->stride];
    for (int i = 1; i < l->stride; i++, out += l->out.width) {
      memcpy(out, first, (size_t)l->out.width * sizeof *out);
    }
  }
}

void route(const struct network *n, const struct layer *l) {
  float *out = l->output;
  if (l->source_count == 1 && l->groups == 1) return;  // shares its source's memory
  for (int i = 0; i < l->source_count; i++) {
    const struct layer *source = &n->layers[l->sources[i]];
    size_t floats = shape_floats(source->out) / (size_t)l->groups;
    memcpy(out, source->output + floats * (size_t)l->group, floats * sizeof *out);
    out += floats;
  }
}

void add_shortcut(const struct network *n, const struct layer *l, const float *in) {
  const float *other = n->layers[l->sources[0]].output;
  size_t count = shape_floats(l->out);
  for (size_t i = 0; i < count; i++) l->output[i] = in[i] + other[i];
  activate(l->activation, l->output, count);
}
