// Convolution of 3 x 3 filters with fewer multiplications.
#pragma once

#include "network.h"

// Whether the layer is computed this way.
bool is_winograd(const struct layer *layer);

// Floats of the layer's transformed weights.
size_t winograd_weight_floats(const struct layer *layer);

// Transforms the weights of `count` filters from `first` on into layer->weights, which is zeroed.
void winograd_pack(const struct layer *layer, int first, int count, const float *weights);

// Floats of scratch space the layer needs.
size_t winograd_scratch(const struct layer *layer);

// Computes layer->output from `in`, activation included.
void convolve_winograd(const struct layer *layer, const float *in, float *scratch);
