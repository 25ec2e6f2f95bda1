// A picture as the network wants it: planar RGB in 0..1, scaled to fit, the rest 0.5 grey.
#pragma once

#include "video/frame.h"

// Where the scaled picture lies inside the network's input.
struct letterbox {
  int width, height;            // of the network's input
  int left, top, inner_width, inner_height;
};

// Computes the placement that keeps the picture's proportions.
struct letterbox place_letterbox(int frame_width, int frame_height, int width, int height);

// Fills `planes`, three planes of width * height floats.
void fill_letterbox(const struct letterbox *box, const struct frame *frame, float *planes);
