// Convolution as a matrix product. The input gets its border of zeros first, so that a pixel under
// the kernel is found at (place of the output pixel) + (place in the kernel) without a check.
#include "convolution.h"

#include <string.h>
#include <wasm_simd128.h>

#include "activate.h"
#include "depthwise.h"
#include "multiply.h"
#include "winograd.h"

// What one group of a convolution looks like as a product of matrices.
struct problem {
  const float *padded;    // input planes of the group
  int padded_width;
  int depth, columns;     // weights of a filter, pixels of the output
  int out_width, stride;
  const int *taps;        // for each weight, where its pixel lies relative to the output's place
};

static int padded_width(const struct layer *l) { return l->in.width + 2 * l->padding; }
static int padded_height(const struct layer *l) { return l->in.height + 2 * l->padding; }

static size_t padded_floats(const struct layer *l) {
  return (size_t)padded_width(l) * (size_t)padded_height(l) * (size_t)l->in.channels;
}

static int depth_of(const struct layer *l) {
  return l->in.channels / l->groups * l->size * l->size;
}

size_t convolution_scratch(const struct layer *l) {
  if (is_winograd(l)) return winograd_scratch(l);
  size_t padded = l->padding > 0 ? padded_floats(l) : 0;
  if (is_depthwise(l)) return padded;
  return padded + (size_t)BLOCK_DEPTH * BLOCK_COLUMNS + (size_t)depth_of(l) + 8;
}

// Copies `channels` planes with a border of `padding` zeros around each.
static void pad_planes(const float *in, int channels, int width, int height, int padding,
                       float *out) {
  size_t row = (size_t)width + 2 * (size_t)padding, border = row * (size_t)padding;
  for (int c = 0; c < channels; c++) {
    memset(out, 0, border * sizeof *out);
    out += border;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < padding; x++) out[x] = out[padding + width + x] = 0;
      memcpy(out + padding, in, (size_t)width * sizeof *out);
      out += row, in += width;
    }
    memset(out, 0, border * sizeof *out);
    out += border;
  }
}

static void find_taps(const struct layer *l, int *taps) {
  int plane = padded_width(l) * padded_height(l);
  for (int c = 0; c < l->in.channels / l->groups; c++) {
    for (int y = 0; y < l->size; y++) {
      for (int x = 0; x < l->size; x++) *taps++ = c * plane + y * padded_width(l) + x;
    }
  }
}

// Packs the pixels under `depth` weights for 8 output pixels from `column` on. Columns beyond the
// last repeat it; nobody reads what is computed from them.
static void pack_columns(const struct problem *p, int column, int first, int depth, float *packed) {
  int place[TILE_COLUMNS];
  for (int i = 0; i < TILE_COLUMNS; i++) {
    int pixel = column + i < p->columns ? column + i : p->columns - 1;
    int y = pixel / p->out_width, x = pixel % p->out_width;
    place[i] = (y * p->padded_width + x) * p->stride;
  }
  const int *taps = p->taps + first;
  if (place[TILE_COLUMNS - 1] - place[0] == TILE_COLUMNS - 1) {
    const float *from = p->padded + place[0];
    for (int k = 0; k < depth; k++, packed += TILE_COLUMNS) {
      wasm_v128_store(packed, wasm_v128_load(from + taps[k]));
      wasm_v128_store(packed + 4, wasm_v128_load(from + taps[k] + 4));
    }
    return;
  }
  for (int k = 0; k < depth; k++, packed += TILE_COLUMNS) {
    const float *from = p->padded + taps[k];
    for (int i = 0; i < TILE_COLUMNS; i++) packed[i] = from[place[i]];
  }
}

static void convolve_group(const struct layer *l, const struct problem *p, const float *weights,
                           const float *biases, float *packed, float *out) {
  int rows = l->out.channels / l->groups;
  size_t strip = (size_t)TILE_ROWS * (size_t)p->depth;
  for (int column = 0; column < p->columns; column += BLOCK_COLUMNS) {
    int columns = p->columns - column < BLOCK_COLUMNS ? p->columns - column : BLOCK_COLUMNS;
    for (int first = 0; first < p->depth; first += BLOCK_DEPTH) {
      int depth = p->depth - first < BLOCK_DEPTH ? p->depth - first : BLOCK_DEPTH;
      for (int i = 0; i < columns; i += TILE_COLUMNS) {
        pack_columns(p, column + i, first, depth, packed + (size_t)i * (size_t)depth);
      }
      multiply_block(rows, columns, depth, weights + (size_t)TILE_ROWS * (size_t)first, strip,
                     packed, out + column, (size_t)p->columns, first == 0 ? biases : NULL);
    }
    for (int r = 0; r < rows; r++) {
      activate(l->activation, out + (size_t)r * (size_t)p->columns + column, (size_t)columns);
    }
  }
}

void convolve(const struct layer *l, const float *in, float *scratch) {
  const float *padded = in;
  if (is_winograd(l)) {
    convolve_winograd(l, in, scratch);
    return;
  }
  if (l->padding > 0) {
    pad_planes(in, l->in.channels, l->in.width, l->in.height, l->padding, scratch);
    padded = scratch;
    scratch += padded_floats(l);
  }
  if (is_depthwise(l)) {
    convolve_depthwise(l, padded);
    return;
  }
  float *packed = scratch;
  int *taps = (int *)(scratch + BLOCK_DEPTH * BLOCK_COLUMNS);
  find_taps(l, taps);
  struct problem p = {.padded_width = padded_width(l),
                      .depth = depth_of(l),
                      .columns = l->out.width * l->out.height,
                      .out_width = l->out.width,
                      .stride = l->stride,
                      .taps = taps};
  int rows = l->out.channels / l->groups;
  for (int g = 0; g < l->groups; g++) {
    p.padded = padded + (size_t)g * (padded_floats(l) / (size_t)l->groups);
    convolve_group(l, &p, l->weights + (size_t)g * packed_floats(rows, p.depth),
                   l->biases + g * rows, packed,
                   l->output + (size_t)g * (size_t)rows * (size_t)p.columns);
  }
}
