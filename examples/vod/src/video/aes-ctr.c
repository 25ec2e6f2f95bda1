// AES-128-CTR: FIPS 197 on whole 16-byte states, four counter blocks side by side.
#include "aes-ctr.h"

#include <string.h>

#include "aes-sbox.h"

static struct aes_sbox sbox;

static v128_t shift_rows(v128_t s) {
  return wasm_i8x16_shuffle(s, s, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11);
}

static v128_t rotate_columns(v128_t s) {
  return wasm_i8x16_shuffle(s, s, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

static v128_t times_x(v128_t s) {
  v128_t carry = wasm_v128_and(wasm_i8x16_shr(s, 7), wasm_i8x16_const_splat(0x1b));
  return wasm_v128_xor(wasm_i8x16_add(s, s), carry);
}

static v128_t mix_columns(v128_t s) {
  v128_t next = rotate_columns(s);
  v128_t pair = wasm_v128_xor(s, next);
  v128_t far = wasm_i8x16_shuffle(pair, pair, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return wasm_v128_xor(times_x(pair), wasm_v128_xor(next, far));
}

static void expand_key(struct aes_ctr *cipher, const uint8_t key[16]) {
  uint8_t words[176], rcon = 1;
  memcpy(words, key, 16);
  for (int i = 16; i < 176; i += 4) {
    uint8_t last[16] = {0};
    memcpy(last, words + i - 4, 4);
    if (i % 16 == 0) {
      uint8_t turned[16] = {last[1], last[2], last[3], last[0]};
      wasm_v128_store(last, aes_substitute(&sbox, wasm_v128_load(turned)));
      last[0] ^= rcon;
      rcon = (uint8_t)(rcon << 1 ^ (rcon >> 7) * 0x1b);
    }
    for (int j = 0; j < 4; j++) words[i + j] = words[i - 16 + j] ^ last[j];
  }
  for (int i = 0; i < 11; i++) cipher->round_keys[i] = wasm_v128_load(words + 16 * i);
  explicit_bzero(words, sizeof words);
}

static void encrypt_four(const struct aes_ctr *cipher, v128_t s[4]) {
  for (int b = 0; b < 4; b++) s[b] = wasm_v128_xor(s[b], cipher->round_keys[0]);
  for (int round = 1; round < 10; round++) {
    for (int b = 0; b < 4; b++) {
      s[b] = mix_columns(shift_rows(aes_substitute(&sbox, s[b])));
      s[b] = wasm_v128_xor(s[b], cipher->round_keys[round]);
    }
  }
  for (int b = 0; b < 4; b++) {
    s[b] = wasm_v128_xor(shift_rows(aes_substitute(&sbox, s[b])), cipher->round_keys[10]);
  }
}

// The counter is one 128-bit big-endian number and wraps around.
static void count(uint8_t counter[16]) {
  for (int i = 15; i >= 0; i--) {
    if (++counter[i] != 0) return;
  }
}

static void next_stream(struct aes_ctr *cipher) {
  v128_t blocks[4];
  for (int b = 0; b < 4; b++) {
    blocks[b] = wasm_v128_load(cipher->counter);
    count(cipher->counter);
  }
  encrypt_four(cipher, blocks);
  for (int b = 0; b < 4; b++) wasm_v128_store(cipher->stream + 16 * b, blocks[b]);
  cipher->used = 0;
}

void aes_ctr_begin(struct aes_ctr *cipher, const uint8_t key[16], const uint8_t iv[16]) {
  aes_sbox_make(&sbox);
  expand_key(cipher, key);
  memcpy(cipher->counter, iv, 16);
  cipher->used = sizeof cipher->stream;
}

void aes_ctr_apply(struct aes_ctr *cipher, uint8_t *bytes, size_t length) {
  while (length > 0) {
    if (cipher->used == sizeof cipher->stream) next_stream(cipher);
    size_t take = sizeof cipher->stream - cipher->used;
    if (take > length) take = length;
    for (size_t i = 0; i < take; i++) bytes[i] ^= cipher->stream[cipher->used + i];
    cipher->used += take, bytes += take, length -= take;
  }
}

void aes_ctr_end(struct aes_ctr *cipher) { explicit_bzero(cipher, sizeof *cipher); }
