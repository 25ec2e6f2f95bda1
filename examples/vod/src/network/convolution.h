// Convolution of one picture.
#pragma once

#include "network.h"

// Floats of scratch space the layer needs.
size_t convolution_scratch(const struct layer *layer);

// Computes layer->output from `in`, activation included.
void convolve(const struct layer *layer, const float *in, float *scratch);
