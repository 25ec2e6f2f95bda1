// Depthwise convolution: too little arithmetic per pixel for a matrix product. Four output pixels
// of a line at a time; with stride 2 every other value is picked from two vectors.
#include "depthwise.h"

#include <wasm_simd128.h>

#include "activate.h"

struct plane {
  const float *in;
  int width;  // of the padded input
  const float *weights;
  float bias;
  int size, stride;
};

static v128_t load_pixels(const float *from, int stride) {
  if (stride == 1) return wasm_v128_load(from);
  // The fourth value is from[6]: loading from + 3 reads no further than that.
  v128_t low = wasm_v128_load(from), high = wasm_v128_load(from + 3);
  return wasm_i32x4_shuffle(low, high, 0, 2, 5, 7);
}

static v128_t four_pixels(const struct plane *p, const float *from) {
  v128_t sum = wasm_f32x4_splat(p->bias);
  const float *weight = p->weights;
  for (int y = 0; y < p->size; y++) {
    for (int x = 0; x < p->size; x++) {
      v128_t pixels = load_pixels(from + x, p->stride);
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_v128_load32_splat(weight++), pixels));
    }
    from += p->width;
  }
  return sum;
}

static float one_pixel(const struct plane *p, const float *from) {
  float sum = p->bias;
  const float *weight = p->weights;
  for (int y = 0; y < p->size; y++, from += p->width) {
    for (int x = 0; x < p->size; x++) sum += *weight++ * from[x];
  }
  return sum;
}

static __attribute__((noinline)) void convolve_line(const struct plane *p, const float *from,
                                                    float *out, int count) {
  int x = 0;
  if (p->stride <= 2) {
    for (; x + 4 <= count; x += 4) wasm_v128_store(out + x, four_pixels(p, from + x * p->stride));
  }
  for (; x < count; x++) out[x] = one_pixel(p, from + x * p->stride);
}

void convolve_depthwise(const struct layer *l, const float *padded) {
  int width = l->in.width + 2 * l->padding, height = l->in.height + 2 * l->padding;
  size_t taps = (size_t)(l->size * l->size);
  size_t out_plane = (size_t)l->out.width * (size_t)l->out.height;
  for (int c = 0; c < l->in.channels; c++) {
    struct plane p = {.in = padded + (size_t)c * (size_t)width * (size_t)height,
                      .width = width,
                      .weights = l->weights + (size_t)c * taps,
                      .bias = l->biases[c],
                      .size = l->size,
                      .stride = l->stride};
    float *out = l->output + (size_t)c * out_plane;
    for (int y = 0; y < l->out.height; y++) {
      convolve_line(&p, p.in + (size_t)y * (size_t)l->stride * (size_t)width,
                    out + (size_t)y * (size_t)l->out.width, l->out.width);
    }
    activate(l->activation, out, out_plane);
  }
}
