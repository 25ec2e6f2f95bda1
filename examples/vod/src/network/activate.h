// Activation functions.
#pragma once

#include <stddef.h>

#include "network.h"

// Applies the function to `count` values in place.
void activate(enum activation activation, float *values, size_t count);

// 1 / (1 + exp(-x))
float logistic(float x);
