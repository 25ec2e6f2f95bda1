// AES-128 in counter mode (NIST SP 800-38A), the cipher of the encrypted video.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

struct aes_ctr {
  v128_t round_keys[11];
  uint8_t counter[16];
  uint8_t stream[64];  // key stream of the four blocks before the counter
  size_t used;         // bytes of it that are spent
};

// Starts at the counter block `iv`.
void aes_ctr_begin(struct aes_ctr *cipher, const uint8_t key[16], const uint8_t iv[16]);

// Encrypts or decrypts the next `length` bytes of the stream in place.
void aes_ctr_apply(struct aes_ctr *cipher, uint8_t *bytes, size_t length);

// Overwrites key and key stream.
void aes_ctr_end(struct aes_ctr *cipher);
