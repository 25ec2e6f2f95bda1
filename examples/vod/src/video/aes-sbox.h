// The S-box of AES for sixteen bytes at once, without a table look-up at a secret address.
#pragma once

#include <wasm_simd128.h>

// Nibble tables for arithmetic in GF(16) and for the way in and out of the tower field.
struct aes_sbox {
  v128_t in_low, in_high;    // a byte's nibbles into the tower field
  v128_t log, power;         // logarithms in GF(16), 0x80 for zero
  v128_t square, scaled;     // x squared, and x squared times lambda
  v128_t log_of_inverse;
  v128_t out_low, out_high;  // a tower field element out, through the affine map
};

// Computes the tables from the definition of the field.
void aes_sbox_make(struct aes_sbox *sbox);

// Product of two logarithms: an index of 16 or more, which a zero factor gives, looks up as zero.
static inline v128_t aes_product(const struct aes_sbox *s, v128_t log_a, v128_t log_b) {
  v128_t sum = wasm_u8x16_add_sat(log_a, log_b);
  v128_t reduced = wasm_u8x16_min(sum, wasm_i8x16_sub(sum, wasm_i8x16_const_splat(15)));
  return wasm_i8x16_swizzle(s->power, reduced);
}

// SubBytes. In GF(16)[y]/(y^2+y+lambda) the inverse of h*y+l is (h*y + h+l) / (lambda*h^2+h*l+l^2).
static inline v128_t aes_substitute(const struct aes_sbox *s, v128_t x) {
  v128_t nibble = wasm_i8x16_const_splat(15);
  v128_t t = wasm_v128_xor(wasm_i8x16_swizzle(s->in_low, wasm_v128_and(x, nibble)),
                           wasm_i8x16_swizzle(s->in_high, wasm_u8x16_shr(x, 4)));
  v128_t high = wasm_u8x16_shr(t, 4), low = wasm_v128_and(t, nibble);
  v128_t log_high = wasm_i8x16_swizzle(s->log, high);
  v128_t log_low = wasm_i8x16_swizzle(s->log, low);
  v128_t norm = wasm_v128_xor(aes_product(s, log_high, log_low),
                              wasm_v128_xor(wasm_i8x16_swizzle(s->scaled, high),
                                            wasm_i8x16_swizzle(s->square, low)));
  v128_t log_inverse = wasm_i8x16_swizzle(s->log_of_inverse, norm);
  v128_t log_both = wasm_i8x16_swizzle(s->log, wasm_v128_xor(high, low));
  v128_t out_high = aes_product(s, log_high, log_inverse);
  v128_t out_low = aes_product(s, log_both, log_inverse);
  return wasm_v128_xor(
      wasm_i8x16_const_splat(0x63),
      wasm_v128_xor(wasm_i8x16_swizzle(s->out_high, out_high),
                    wasm_i8x16_swizzle(s->out_low, out_low)));
}
