// Matrix multiplication for convolutions: 4 filters by 8 pixels at a time.
#pragma once

#include <stddef.h>

enum {
  TILE_ROWS = 4,
  TILE_COLUMNS = 8,
  BLOCK_DEPTH = 256,    // products summed before the next block of pixels is packed
  BLOCK_COLUMNS = 256,  // pixels packed at once: 256 KiB, which stays in the second cache
  BLOCK_ROWS = 64,      // filters that meet all packed pixels before the next ones are read
};

// Floats of `rows` filters of `depth` weights each, packed.
size_t packed_floats(int rows, int depth);

// Packs row-major weights into strips of 4 rows, column after column; missing rows become 0.
void pack_rows(const float *weights, int rows, int depth, float *packed);

// Adds a block of products to a block of the result. `a` are strips of packed rows, `strip` floats
// from one to the next; `b` is depth x columns, packed 8 columns at a time; `c` has `width` floats
// from row to row. Where `bias` is not NULL the sums begin with it instead of what is in `c`; it
// has as many values as the strips have rows.
void multiply_block(int rows, int columns, int depth, const float *a, size_t strip, const float *b,
                    float *c, size_t width, const float *bias);
