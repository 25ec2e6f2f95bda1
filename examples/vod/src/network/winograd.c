// Winograd's F(2x2, 3x3): each tile of 2 x 2 output pixels takes 16 products instead of 36. A
// tile's 4 x 4 inputs and each filter are transformed by additions; then one matrix product for
// each of the 16 points, over all channels, and the results are transformed back. The larger
// F(4x4, 3x3) would take 9 instead of 16 products per four pixels, but four times the memory for
// the weights instead of 16/9.
#include "winograd.h"

#include <string.h>
#include <wasm_simd128.h>

#include "activate.h"
#include "multiply.h"

enum { POINTS = 16, LANES = 4, BLOCK_TILES = 192, WEIGHTS_MOST = 4 * 1024 * 1024 };

// The layer as tiles over its padded input, and the scratch space cut into its parts.
struct tiling {
  const struct layer *layer;
  int across, down;               // tiles
  int block;                      // tiles that are computed together, a multiple of 8
  int padded_width, padded_height;
  float *padded;                  // input planes with a border, whole tiles wide and high
  float *inputs;                  // [point][8 tiles][channel][tile]
  float *products;                // [point][filter][tile]
};

// The bias is added after the way back. Not const: constant zeros would be stored in the module.
static float no_bias[65536];

bool is_winograd(const struct layer *l) {
  return l->kind == CONVOLUTION && l->size == 3 && l->stride == 1 && l->groups == 1 &&
         l->in.channels >= 8 && l->out.channels >= 8 &&
         l->out.channels <= (int)(sizeof no_bias / sizeof *no_bias) &&
         weight_floats(l) <= WEIGHTS_MOST;
}

size_t winograd_weight_floats(const struct layer *l) {
  return POINTS * packed_floats(l->out.channels, l->in.channels);
}

// G w, for three weights: (w0, (w0+w1+w2)/2, (w0-w1+w2)/2, w2).
static void transform_three(float a, float b, float c, float *out, int step) {
  out[0] = a;
  out[step] = (a + b + c) * 0.5f;
  out[2 * step] = (a - b + c) * 0.5f;
  out[3 * step] = c;
}

void winograd_pack(const struct layer *l, int first, int count, const float *weights) {
  size_t plane = packed_floats(l->out.channels, l->in.channels);
  for (int row = first; row < first + count; row++) {
    for (int k = 0; k < l->in.channels; k++, weights += 9) {
      float half[12], full[POINTS];
      for (int x = 0; x < 3; x++) {
        transform_three(weights[x], weights[3 + x], weights[6 + x], half + x, 3);
      }
      for (int y = 0; y < 4; y++) {
        transform_three(half[3 * y], half[3 * y + 1], half[3 * y + 2], full + 4 * y, 1);
      }
      size_t place = packed_floats(row / TILE_ROWS * TILE_ROWS, l->in.channels) +
                     (size_t)k * TILE_ROWS + (size_t)(row % TILE_ROWS);
      for (int p = 0; p < POINTS; p++) l->weights[(size_t)p * plane + place] = full[p];
    }
  }
}

static struct tiling make_tiling(const struct layer *l, float *scratch) {
  struct tiling t = {.layer = l,
                     .across = (l->out.width + 1) / 2,
                     .down = (l->out.height + 1) / 2};
  int all = (t.across * t.down + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
  t.block = all < BLOCK_TILES ? all : BLOCK_TILES;
  t.padded_width = 2 * t.across + 2;
  t.padded_height = 2 * t.down + 2;
  t.padded = scratch;
  t.inputs = t.padded + (size_t)t.padded_width * (size_t)t.padded_height * (size_t)l->in.channels;
  t.products = t.inputs + POINTS * (size_t)t.block * (size_t)l->in.channels;
  return t;
}

size_t winograd_scratch(const struct layer *l) {
  struct tiling t = make_tiling(l, NULL);
  return (size_t)(t.products - t.padded) + POINTS * (size_t)t.block * (size_t)l->out.channels;
}

static void pad(const struct tiling *t, const float *in) {
  const struct layer *l = t->layer;
  size_t row = (size_t)t->padded_width;
  float *out = t->padded;
  memset(out, 0, row * (size_t)t->padded_height * (size_t)l->in.channels * sizeof *out);
  for (int c = 0; c < l->in.channels; c++, out += row * (size_t)t->padded_height) {
    float *line = out + row * (size_t)l->padding + l->padding;
    for (int y = 0; y < l->in.height; y++, line += row, in += l->in.width) {
      memcpy(line, in, (size_t)l->in.width * sizeof *in);
    }
  }
}

// (d0-d2, d1+d2, d2-d1, d1-d3)
static void transform_inputs(v128_t *d, int step) {
  v128_t d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  d[0] = wasm_f32x4_sub(d0, d2);
  d[step] = wasm_f32x4_add(d1, d2);
  d[2 * step] = wasm_f32x4_sub(d2, d1);
  d[3 * step] = wasm_f32x4_sub(d1, d3);
}

static void transpose(v128_t *a, v128_t *b, v128_t *c, v128_t *d) {
  v128_t ab = wasm_i32x4_shuffle(*a, *b, 0, 4, 1, 5), AB = wasm_i32x4_shuffle(*a, *b, 2, 6, 3, 7);
  v128_t cd = wasm_i32x4_shuffle(*c, *d, 0, 4, 1, 5), CD = wasm_i32x4_shuffle(*c, *d, 2, 6, 3, 7);
  *a = wasm_i64x2_shuffle(ab, cd, 0, 2);
  *b = wasm_i64x2_shuffle(ab, cd, 1, 3);
  *c = wasm_i64x2_shuffle(AB, CD, 0, 2);
  *d = wasm_i64x2_shuffle(AB, CD, 1, 3);
}

// Transforms four tiles of one channel; `out` gets a vector of them for each point.
static void transform_four(const struct tiling *t, const float *plane, const int *places,
                           float *out, size_t point) {
  v128_t rows[LANES][4];  // by tile
  for (int i = 0; i < LANES; i++) {
    const float *from = plane + places[i];
    for (int y = 0; y < 4; y++) rows[i][y] = wasm_v128_load(from + y * t->padded_width);
    transform_inputs(rows[i], 1);
  }
  for (int y = 0; y < 4; y++) {
    v128_t line[4] = {rows[0][y], rows[1][y], rows[2][y], rows[3][y]};
    transpose(&line[0], &line[1], &line[2], &line[3]);
    transform_inputs(line, 1);
    for (int x = 0; x < 4; x++) wasm_v128_store(out + (size_t)(4 * y + x) * point, line[x]);
  }
}

static int place_of(const struct tiling *t, int tile) {
  return 2 * (tile / t->across) * t->padded_width + 2 * (tile % t->across);
}

// Input transform of `count` tiles from `first` on; the last eight are filled up with repeats.
static __attribute__((noinline)) void gather(const struct tiling *t, int first, int count) {
  int channels = t->layer->in.channels;
  size_t plane = (size_t)t->padded_width * (size_t)t->padded_height;
  size_t point = (size_t)t->block * (size_t)channels;
  for (int tile = 0; tile < count; tile += LANES) {
    int places[LANES];
    for (int i = 0; i < LANES; i++) {
      places[i] = place_of(t, first + (tile + i < count ? tile + i : count - 1));
    }
    float *out = t->inputs + (size_t)(tile / TILE_COLUMNS) * TILE_COLUMNS * (size_t)channels +
                 tile % TILE_COLUMNS;
    for (int c = 0; c < channels; c++, out += TILE_COLUMNS) {
      transform_four(t, t->padded + (size_t)c * plane, places, out, point);
    }
  }
}

// (m0+m1+m2, m1-m2-m3)
static void transform_products(const v128_t *m, int step, v128_t *even, v128_t *odd) {
  v128_t m1 = m[step], m2 = m[2 * step];
  *even = wasm_f32x4_add(wasm_f32x4_add(m[0], m1), m2);
  *odd = wasm_f32x4_sub(wasm_f32x4_sub(m1, m2), m[3 * step]);
}

// Writes a 2 x 2 tile, or what of it lies inside the output.
static void put_tile(const struct tiling *t, float *plane, int tile, const float *pixels) {
  struct shape out = t->layer->out;
  int y = 2 * (tile / t->across), x = 2 * (tile % t->across);
  float *to = plane + (size_t)y * (size_t)out.width + x;
  bool wide = x + 1 < out.width, high = y + 1 < out.height;
  to[0] = pixels[0];
  if (wide) to[1] = pixels[1];
  if (high) to[out.width] = pixels[2];
  if (high && wide) to[out.width + 1] = pixels[3];
}

// Output transform of `count` tiles of one filter.
static __attribute__((noinline)) void scatter(const struct tiling *t, int filter, int first,
                                              int count) {
  size_t point = (size_t)t->block * (size_t)t->layer->out.channels;
  const float *from = t->products + (size_t)filter * (size_t)t->block;
  float *plane = t->layer->output +
                 (size_t)filter * (size_t)t->layer->out.width * (size_t)t->layer->out.height;
  v128_t bias = wasm_f32x4_splat(t->layer->biases[filter]);
  for (int tile = 0; tile < count; tile += LANES) {
    v128_t m[POINTS], half[8], full[4];
    float pixels[LANES][4];
    for (int p = 0; p < POINTS; p++) m[p] = wasm_v128_load(from + (size_t)p * point + tile);
    for (int x = 0; x < 4; x++) transform_products(m + x, 4, &half[x], &half[4 + x]);
    for (int y = 0; y < 2; y++) {
      transform_products(half + 4 * y, 1, &full[2 * y], &full[2 * y + 1]);
    }
    for (int i = 0; i < 4; i++) full[i] = wasm_f32x4_add(full[i], bias);
    transpose(&full[0], &full[1], &full[2], &full[3]);
    for (int i = 0; i < LANES; i++) wasm_v128_store(pixels[i], full[i]);
    for (int i = 0; i < LANES && tile + i < count; i++) {
      put_tile(t, plane, first + tile + i, pixels[i]);
    }
  }
}

void convolve_winograd(const struct layer *l, const float *in, float *scratch) {
  struct tiling t = make_tiling(l, scratch);
  int tiles = t.across * t.down;
  size_t channels = (size_t)l->in.channels, filters = (size_t)l->out.channels;
  size_t block = (size_t)t.block, plane = packed_floats((int)filters, (int)channels);
  pad(&t, in);
  for (int first = 0; first < tiles; first += t.block) {
    int count = tiles - first < t.block ? tiles - first : t.block;
    int whole = (count + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
    gather(&t, first, count);
    for (size_t p = 0; p < POINTS; p++) {
      multiply_block((int)filters, whole, (int)channels, l->weights + p * plane,
                     TILE_ROWS * channels, t.inputs + p * block * channels,
                     t.products + p * block * filters, block, no_bias);
    }
    for (int f = 0; f < l->out.channels; f++) scatter(&t, f, first, count);
  }
  activate(l->activation, l->output, shape_floats(l->out));
}
