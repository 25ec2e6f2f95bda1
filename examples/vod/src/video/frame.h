// One decoded picture, as the decoder holds it: planar YCbCr 4:2:0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct frame {
  const uint8_t *y, *u, *v;
  int stride_y, stride_c;  // bytes from one line to the next
  int width, height;       // after cropping
  bool full_range;         // samples use 0..255 instead of 16..235
  int index;               // from 0, in output order
};
