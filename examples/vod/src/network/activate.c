// Activation functions, after darknet.
#include "activate.h"

#include <math.h>

float logistic(float x) { return 1 / (1 + expf(-x)); }

static void leaky(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = values[i] > 0 ? values[i] : 0.1f * values[i];
}

static void relu(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = values[i] > 0 ? values[i] : 0;
}

// x * tanh(log(1 + e^x)), and tanh(log(1 + e)) = (e*e + 2e) / (e*e + 2e + 2).
static float mish(float x) {
  if (x > 20) return x;
  float e = expf(x), n = e * (e + 2);
  return x * (n / (n + 2));
}

void activate(enum activation activation, float *values, size_t count) {
  switch (activation) {
    case LINEAR: return;
    case LEAKY: leaky(values, count); return;
    case RELU: relu(values, count); return;
    case LOGISTIC:
      for (size_t i = 0; i < count; i++) values[i] = logistic(values[i]);
      return;
    case MISH:
      for (size_t i = 0; i < count; i++) values[i] = mish(values[i]);
      return;
  }
}
