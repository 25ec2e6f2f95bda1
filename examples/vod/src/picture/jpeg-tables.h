// Quantisation and Huffman tables of ITU-T T.81, annex K.
#pragma once

#include <stdint.h>

struct huffman_spec {
  uint8_t counts[16];  // codes of length 1 to 16
  const uint8_t *values;
  int value_count;
};

// Position in the 8 x 8 block of each coefficient in zigzag order.
extern const uint8_t jpeg_zigzag[64];

// Steps for luminance and chrominance at quality 50, row by row.
extern const uint8_t jpeg_steps[2][64];

// DC and AC codes for luminance, then for chrominance.
extern const struct huffman_spec jpeg_codes[4];
