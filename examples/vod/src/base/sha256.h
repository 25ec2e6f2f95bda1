// SHA-256 (FIPS 180-4), for the hashes of decoded pictures that tests compare.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t length);
// Writes 64 lower-case hexadecimal digits and a NUL.
void sha256_hex(struct sha256 *hash, char text[65]);
