// The discrete cosine transform of 8 x 8 samples, with quantisation.
#pragma once

#include <stdint.h>

// Factors that undo the transform's scale and divide by the quantisation steps.
void cosine_factors(const uint8_t steps[64], float factors[64]);

// Transforms 8 rows of 8 samples `stride` bytes apart and quantises; coefficients row by row.
void cosine_transform(const uint8_t *samples, int stride, const float factors[64],
                      int16_t coefficients[64]);
