// The kernel holds 4 x 8 sums in 8 of the 16 vector registers. V8's register allocation decides its
// speed: larger tiles spill, unrolling costs a fifth, and inlined into its caller the loop loses
// half its speed, hence `noinline`.
#include "multiply.h"

#include <string.h>
#include <wasm_simd128.h>

size_t packed_floats(int rows, int depth) {
  size_t strips = ((size_t)rows + TILE_ROWS - 1) / TILE_ROWS;
  return strips * TILE_ROWS * (size_t)depth;
}

void pack_rows(const float *weights, int rows, int depth, float *packed) {
  for (int first = 0; first < rows; first += TILE_ROWS) {
    for (int k = 0; k < depth; k++) {
      for (int r = first; r < first + TILE_ROWS; r++) {
        *packed++ = r < rows ? weights[(size_t)r * (size_t)depth + (size_t)k] : 0;
      }
    }
  }
}

// Adds weight times pixel to all 4 x 8 sums, for the weights at `a` and the pixels at `b`.
static inline void accumulate(v128_t sum[TILE_ROWS][2], const float *a, const float *b) {
  v128_t x0 = wasm_v128_load(b), x1 = wasm_v128_load(b + 4);
  for (int r = 0; r < TILE_ROWS; r++) {
    v128_t w = wasm_v128_load32_splat(a + r);
    sum[r][0] = wasm_f32x4_add(sum[r][0], wasm_f32x4_mul(w, x0));
    sum[r][1] = wasm_f32x4_add(sum[r][1], wasm_f32x4_mul(w, x1));
  }
}

static __attribute__((noinline)) void multiply_tile(int depth, const float *a, const float *b,
                                                    float *c, size_t width, const float *bias) {
  v128_t sum[TILE_ROWS][2];
  for (int r = 0; r < TILE_ROWS; r++) {
    sum[r][0] = bias ? wasm_v128_load32_splat(bias + r) : wasm_v128_load(c + (size_t)r * width);
    sum[r][1] = bias ? sum[r][0] : wasm_v128_load(c + (size_t)r * width + 4);
  }
  for (; depth > 0; depth--, a += TILE_ROWS, b += TILE_COLUMNS) accumulate(sum, a, b);
  for (int r = 0; r < TILE_ROWS; r++) {
    wasm_v128_store(c + (size_t)r * width, sum[r][0]);
    wasm_v128_store(c + (size_t)r * width + 4, sum[r][1]);
  }
}

// A tile at the edge is computed aside, so that nothing outside the result is touched.
static void multiply_edge(int rows, int columns, int depth, const float *a, const float *b,
                          float *c, size_t width, const float *bias) {
  float tile[TILE_ROWS * TILE_COLUMNS] = {0}, start[TILE_ROWS] = {0};
  size_t bytes = (size_t)columns * sizeof(float);
  for (int r = 0; r < rows; r++) {
    if (bias) start[r] = bias[r];
    if (!bias) memcpy(tile + r * TILE_COLUMNS, c + (size_t)r * width, bytes);
  }
  multiply_tile(depth, a, b, tile, TILE_COLUMNS, bias ? start : NULL);
  for (int r = 0; r < rows; r++) memcpy(c + (size_t)r * width, tile + r * TILE_COLUMNS, bytes);
}

// One row of tiles after the other for some of the filters, whose weights stay in the cache.
static void multiply_rows(int rows, int columns, int depth, const float *a, size_t strip,
                          const float *b, float *c, size_t width, const float *bias) {
  for (int column = 0; column < columns; column += TILE_COLUMNS) {
    const float *strip_a = a;
    int wide = columns - column < TILE_COLUMNS ? columns - column : TILE_COLUMNS;
    for (int row = 0; row < rows; row += TILE_ROWS, strip_a += strip) {
      float *tile = c + (size_t)row * width + column;
      const float *start = bias ? bias + row : NULL;
      if (wide == TILE_COLUMNS && rows - row >= TILE_ROWS) {
        multiply_tile(depth, strip_a, b, tile, width, start);
      } else {
        int high = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
        multiply_edge(high, wide, depth, strip_a, b, tile, width, start);
      }
    }
    b += (size_t)TILE_COLUMNS * (size_t)depth;
  }
}

void multiply_block(int rows, int columns, int depth, const float *a, size_t strip, const float *b,
                    float *c, size_t width, const float *bias) {
  for (int row = 0; row < rows; row += BLOCK_ROWS) {
    int some = rows - row < BLOCK_ROWS ? rows - row : BLOCK_ROWS;
    multiply_rows(some, columns, depth, a, strip, b, c, width, bias ? bias + row : NULL);
    a += strip * (BLOCK_ROWS / TILE_ROWS);
    c += (size_t)BLOCK_ROWS * width;
  }
}
