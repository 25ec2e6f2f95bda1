// Convolution with one filter per channel.
#pragma once

#include "network.h"

// Computes layer->output from an input that already has its border; weights are as in the file.
void convolve_depthwise(const struct layer *layer, const float *padded);
