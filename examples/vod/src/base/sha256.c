// SHA-256 (FIPS 180-4). The constants are computed as the standard defines them: fractional parts
// of the square and cube roots of the first primes.
#include "sha256.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint32_t round_constants[64];
static uint32_t first_state[8];

static uint32_t fraction_bits(double root) {
  return (uint32_t)((root - floor(root)) * 4294967296.0);
}

static void make_constants(void) {
  int found = 0;
  for (int candidate = 2; found < 64; candidate++) {
    int divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor != 0) divisor++;
    if (divisor * divisor <= candidate) continue;
    if (found < 8) first_state[found] = fraction_bits(sqrt(candidate));
    round_constants[found++] = fraction_bits(cbrt(candidate));
  }
}

static uint32_t rotate(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void absorb(struct sha256 *hash, const uint8_t *block) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) {
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  }
  for (int i = 16; i < 64; i++) {
    uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  memcpy(s, hash->state, sizeof s);
  for (int i = 0; i < 64; i++) {
    // Instead of moving eight words along each round, their places rotate.
    uint32_t *a = &s[(64 - i) & 7], *d = &s[(67 - i) & 7];
    uint32_t *e = &s[(68 - i) & 7], *h = &s[(71 - i) & 7];
    uint32_t b = s[(65 - i) & 7], c = s[(66 - i) & 7], f = s[(69 - i) & 7], g = s[(70 - i) & 7];
    uint32_t t = *h + (rotate(*e, 6) ^ rotate(*e, 11) ^ rotate(*e, 25)) + ((*e & f) ^ (~*e & g)) +
                 round_constants[i] + w[i];
    *d += t;
    *h = t + (rotate(*a, 2) ^ rotate(*a, 13) ^ rotate(*a, 22)) + ((*a & b) ^ (*a & c) ^ (b & c));
  }
  for (int i = 0; i < 8; i++) hash->state[i] += s[i];
}

void sha256_begin(struct sha256 *hash) {
  if (round_constants[0] == 0) make_constants();
  memcpy(hash->state, first_state, sizeof first_state);
  hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t length) {
  const uint8_t *next = bytes;
  while (length > 0) {
    size_t held = hash->length % 64;
    if (held == 0 && length >= 64) {
      absorb(hash, next);
      hash->length += 64, next += 64, length -= 64;
      continue;
    }
    size_t take = 64 - held < length ? 64 - held : length;
    memcpy(hash->block + held, next, take);
    hash->length += take, next += take, length -= take;
    if (hash->length % 64 == 0) absorb(hash, hash->block);
  }
}

void sha256_hex(struct sha256 *hash, char text[65]) {
  uint64_t bits = hash->length * 8;
  uint8_t end[8];
  for (int i = 0; i < 8; i++) end[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(hash, "\x80", 1);
  while (hash->length % 64 != 56) sha256_add(hash, "", 1);
  sha256_add(hash, end, 8);
  for (int i = 0; i < 8; i++) snprintf(text + 8 * i, 9, "%08x", hash->state[i]);
}
