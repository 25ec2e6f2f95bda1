// The transform of Arai, Agui and Nakajima: five multiplications per eight values, their scale left
// to the quantisation. Eight columns at once; between the two passes the block is transposed.
#include "cosine.h"

#include <math.h>
#include <wasm_simd128.h>

typedef float lanes __attribute__((vector_size(16)));

void cosine_factors(const uint8_t steps[64], float factors[64]) {
  float scale[8];
  for (int i = 0; i < 8; i++) {
    scale[i] = i == 0 ? 1 : cosf((float)i * 3.14159265f / 16) * 1.41421356f;
  }
  for (int i = 0; i < 64; i++) {
    factors[i] = 1 / ((float)steps[i] * scale[i / 8] * scale[i % 8] * 8);
  }
}

static void transform_columns(lanes d[8]) {
  lanes s07 = d[0] + d[7], d07 = d[0] - d[7], s16 = d[1] + d[6], d16 = d[1] - d[6];
  lanes s25 = d[2] + d[5], d25 = d[2] - d[5], s34 = d[3] + d[4], d34 = d[3] - d[4];

  lanes outer = s07 + s34, inner = s16 + s25, outer_d = s07 - s34;
  lanes turned = (s16 - s25 + outer_d) * 0.707106781f;
  d[0] = outer + inner;
  d[4] = outer - inner;
  d[2] = outer_d + turned;
  d[6] = outer_d - turned;

  lanes a = d34 + d25, b = d25 + d16, c = d16 + d07;
  lanes common = (a - c) * 0.382683433f;
  lanes low = a * 0.541196100f + common, high = c * 1.306562965f + common;
  lanes middle = b * 0.707106781f;
  lanes plus = d07 + middle, minus = d07 - middle;
  d[5] = minus + low;
  d[3] = minus - low;
  d[1] = plus + high;
  d[7] = plus - high;
}

static void transpose4(lanes *r0, lanes *r1, lanes *r2, lanes *r3) {
  lanes a = __builtin_shufflevector(*r0, *r1, 0, 4, 1, 5);
  lanes b = __builtin_shufflevector(*r0, *r1, 2, 6, 3, 7);
  lanes c = __builtin_shufflevector(*r2, *r3, 0, 4, 1, 5);
  lanes d = __builtin_shufflevector(*r2, *r3, 2, 6, 3, 7);
  *r0 = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  *r1 = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  *r2 = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  *r3 = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

static void transpose8(lanes left[8], lanes right[8]) {
  transpose4(&left[0], &left[1], &left[2], &left[3]);
  transpose4(&right[0], &right[1], &right[2], &right[3]);
  transpose4(&left[4], &left[5], &left[6], &left[7]);
  transpose4(&right[4], &right[5], &right[6], &right[7]);
  for (int i = 0; i < 4; i++) {
    lanes swap = right[i];
    right[i] = left[4 + i];
    left[4 + i] = swap;
  }
}

void cosine_transform(const uint8_t *samples, int stride, const float factors[64],
                      int16_t coefficients[64]) {
  lanes left[8], right[8];
  for (int y = 0; y < 8; y++, samples += stride) {
    v128_t wide = wasm_i16x8_sub(wasm_u16x8_load8x8(samples), wasm_i16x8_const_splat(128));
    left[y] = (lanes)wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(wide));
    right[y] = (lanes)wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(wide));
  }
  transform_columns(left);
  transform_columns(right);
  transpose8(left, right);
  transform_columns(left);
  transform_columns(right);
  transpose8(left, right);
  for (int y = 0; y < 8; y++) {
    v128_t a = wasm_f32x4_mul((v128_t)left[y], wasm_v128_load(factors + 8 * y));
    v128_t b = wasm_f32x4_mul((v128_t)right[y], wasm_v128_load(factors + 8 * y + 4));
    v128_t ia = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(a));
    v128_t ib = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(b));
    wasm_v128_store(coefficients + 8 * y, wasm_i16x8_narrow_i32x4(ia, ib));
  }
}
