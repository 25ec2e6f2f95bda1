// A copy of a picture that may be drawn on and is saved as JPEG: full-range YCbCr 4:2:0.
#pragma once

#include "video/frame.h"

struct canvas {
  int width, height, chroma_width, chroma_height;
  uint8_t *y, *u, *v;
};

struct colour {
  uint8_t y, u, v;
};

// Copies the frame into `canvas`, whose memory is reused when the size has not changed.
void canvas_copy(struct canvas *canvas, const struct frame *frame);

// Fills the rectangle as far as it lies inside the picture.
void canvas_fill(struct canvas *canvas, int left, int top, int width, int height,
                 struct colour colour);
