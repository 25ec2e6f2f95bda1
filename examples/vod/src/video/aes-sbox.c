// Tables of the S-box. An AES cache attack reads the addresses of look-ups; here every look-up is a
// swizzle inside one register. The tables depend on no secret and are computed once.
#include "aes-sbox.h"

#include <stdint.h>

// GF(16) modulo x^4+x+1.
static uint8_t multiply16(uint8_t a, uint8_t b) {
  uint8_t product = 0;
  for (int i = 0; i < 4; i++) {
    if (b >> i & 1) product ^= (uint8_t)(a << i);
  }
  for (int i = 6; i >= 4; i--) {
    if (product >> i & 1) product ^= (uint8_t)(0x13 << (i - 4));
  }
  return product;
}

// The tower field: nibbles h and l stand for h*y+l with y^2 = y + lambda.
static uint8_t multiply_tower(uint8_t a, uint8_t b, uint8_t lambda) {
  uint8_t ah = a >> 4, al = a & 15, bh = b >> 4, bl = b & 15;
  uint8_t hh = multiply16(ah, bh);
  uint8_t high = hh ^ multiply16(ah, bl) ^ multiply16(al, bh);
  uint8_t low = multiply16(hh, lambda) ^ multiply16(al, bl);
  return (uint8_t)(high << 4 | low);
}

// A lambda for which y^2+y+lambda has no root in GF(16).
static uint8_t find_lambda(void) {
  for (uint8_t lambda = 1;; lambda++) {
    int roots = 0;
    for (uint8_t y = 0; y < 16; y++) roots += (multiply16(y, y) ^ y) == lambda;
    if (roots == 0) return lambda;
  }
}

// The images of 1, x, x^2 ... x^7 of AES's field: powers of a root of x^8+x^4+x^3+x+1.
static void find_basis(uint8_t lambda, uint8_t basis[8]) {
  for (int root = 2; root < 256; root++) {
    uint8_t power[9] = {1};
    for (int i = 1; i < 9; i++) power[i] = multiply_tower(power[i - 1], (uint8_t)root, lambda);
    if ((power[8] ^ power[4] ^ power[3] ^ power[1] ^ power[0]) != 0) continue;
    for (int i = 0; i < 8; i++) basis[i] = power[i];
    return;
  }
}

static uint8_t combine(const uint8_t basis[8], uint8_t bits) {
  uint8_t sum = 0;
  for (int i = 0; i < 8; i++) {
    if (bits >> i & 1) sum ^= basis[i];
  }
  return sum;
}

static uint8_t affine(uint8_t x) {
  uint8_t sum = x;
  for (int i = 1; i <= 4; i++) sum ^= (uint8_t)(x << i | x >> (8 - i));
  return sum;
}

void aes_sbox_make(struct aes_sbox *sbox) {
  uint8_t lambda = find_lambda(), basis[8], back[256];
  uint8_t in_low[16], in_high[16], log[16], power[16], square[16], scaled[16], inverse[16];
  uint8_t out_low[16], out_high[16];
  find_basis(lambda, basis);
  for (int i = 0; i < 256; i++) back[combine(basis, (uint8_t)i)] = (uint8_t)i;
  power[0] = 1;
  for (int i = 1; i < 15; i++) power[i] = multiply16(power[i - 1], 2);
  power[15] = 0;
  log[0] = inverse[0] = 0x80;
  for (int i = 0; i < 15; i++) {
    log[power[i]] = (uint8_t)i;
    inverse[power[i]] = (uint8_t)((15 - i) % 15);
  }
  for (uint8_t i = 0; i < 16; i++) {
    in_low[i] = combine(basis, i);
    in_high[i] = combine(basis, (uint8_t)(i << 4));
    square[i] = multiply16(i, i);
    scaled[i] = multiply16(square[i], lambda);
    out_low[i] = affine(back[i]);
    out_high[i] = affine(back[i << 4]);
  }
  sbox->in_low = wasm_v128_load(in_low);
  sbox->in_high = wasm_v128_load(in_high);
  sbox->log = wasm_v128_load(log);
  sbox->power = wasm_v128_load(power);
  sbox->square = wasm_v128_load(square);
  sbox->scaled = wasm_v128_load(scaled);
  sbox->log_of_inverse = wasm_v128_load(inverse);
  sbox->out_low = wasm_v128_load(out_low);
  sbox->out_high = wasm_v128_load(out_high);
}
