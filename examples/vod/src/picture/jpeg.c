// Three components, chrominance at half resolution, one scan, the standard's Huffman tables.
#include "jpeg.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "cosine.h"
#include "jpeg-tables.h"

struct code {
  uint16_t bits;
  uint8_t length;
};

struct encoder {
  struct jpeg *out;
  struct code codes[4][256];
  uint8_t steps[2][64];
  float factors[2][64];
  uint64_t bits;  // not written yet, the newest lowest
  int bit_count;
  int last_dc[3];
};

enum { MCU_BYTES = 6 * 64 * 4 * 2 };  // more than six blocks can need, byte stuffing included

static void reserve(struct jpeg *out, size_t bytes) {
  if (out->capacity - out->length >= bytes) return;
  out->capacity = 2 * out->capacity + bytes + 65536;
  out->bytes = enlarge(out->bytes, out->capacity, 1, "the JPEG picture");
}

static void put(struct jpeg *out, int byte) { out->bytes[out->length++] = (unsigned char)byte; }

static void put_marker(struct jpeg *out, int marker, int length) {
  put(out, 0xff);
  put(out, marker);
  put(out, length >> 8);
  put(out, length);
}

static void make_codes(struct encoder *e) {
  for (int t = 0; t < 4; t++) {
    const uint8_t *value = jpeg_codes[t].values;
    int bits = 0;
    for (int length = 1; length <= 16; length++, bits <<= 1) {
      for (int i = 0; i < jpeg_codes[t].counts[length - 1]; i++) {
        e->codes[t][*value++] = (struct code){(uint16_t)bits++, (uint8_t)length};
      }
    }
  }
}

static void make_steps(struct encoder *e, int quality) {
  int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  for (int t = 0; t < 2; t++) {
    for (int i = 0; i < 64; i++) {
      int step = (jpeg_steps[t][i] * scale + 50) / 100;
      e->steps[t][i] = (uint8_t)(step < 1 ? 1 : step > 255 ? 255 : step);
    }
    cosine_factors(e->steps[t], e->factors[t]);
  }
}

static void put_headers(struct encoder *e, const struct canvas *c) {
  static const uint8_t start[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0,
                                  1,    1,    0,    0,    1, 0,  1,   0,   0};
  static const uint8_t scan[] = {3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0};
  static const uint8_t classes[] = {0x00, 0x10, 0x01, 0x11};
  struct jpeg *out = e->out;
  for (size_t i = 0; i < sizeof start; i++) put(out, start[i]);
  for (int t = 0; t < 2; t++) {
    put_marker(out, 0xdb, 67);
    put(out, t);
    for (int i = 0; i < 64; i++) put(out, e->steps[t][jpeg_zigzag[i]]);
  }
  const int frame[] = {8, c->height >> 8, c->height, c->width >> 8, c->width, 3,
                       1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1};
  put_marker(out, 0xc0, 17);
  for (size_t i = 0; i < sizeof frame / sizeof *frame; i++) put(out, frame[i]);
  for (int t = 0; t < 4; t++) {
    put_marker(out, 0xc4, 19 + jpeg_codes[t].value_count);
    put(out, classes[t]);
    for (int i = 0; i < 16; i++) put(out, jpeg_codes[t].counts[i]);
    for (int i = 0; i < jpeg_codes[t].value_count; i++) put(out, jpeg_codes[t].values[i]);
  }
  put_marker(out, 0xda, 12);
  for (size_t i = 0; i < sizeof scan; i++) put(out, scan[i]);
}

static void put_bits(struct encoder *e, unsigned bits, int count) {
  e->bits = e->bits << count | bits;
  e->bit_count += count;
  while (e->bit_count >= 8) {
    int byte = (int)(e->bits >> (e->bit_count - 8)) & 255;
    put(e->out, byte);
    if (byte == 255) put(e->out, 0);
    e->bit_count -= 8;
  }
}

// A value as its Huffman symbol (`run` zeros before it, then its bit length) and its bits.
static void put_value(struct encoder *e, const struct code *codes, int run, int value) {
  unsigned size = (unsigned)(value < 0 ? -value : value);
  int length = size == 0 ? 0 : 32 - __builtin_clz(size);
  struct code code = codes[run << 4 | length];
  unsigned tail = (unsigned)(value < 0 ? value - 1 : value) & ((1u << length) - 1);
  put_bits(e, (unsigned)code.bits << length | tail, code.length + length);
}

static void put_block(struct encoder *e, const uint8_t *samples, int stride, int component) {
  int table = component > 0;
  int16_t coefficients[64];
  const struct code *ac = e->codes[2 * table + 1];
  cosine_transform(samples, stride, e->factors[table], coefficients);
  put_value(e, e->codes[2 * table], 0, coefficients[0] - e->last_dc[component]);
  e->last_dc[component] = coefficients[0];
  int run = 0;
  for (int i = 1; i < 64; i++) {
    int value = coefficients[jpeg_zigzag[i]];
    if (value == 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) put_bits(e, ac[0xf0].bits, ac[0xf0].length);
    put_value(e, ac, run, value);
    run = 0;
  }
  if (run > 0) put_bits(e, ac[0].bits, ac[0].length);
}

struct plane {
  const uint8_t *samples;
  int width, height;
};

// One 8 x 8 block; over the picture's edge its last line and column are repeated.
static void put_plane_block(struct encoder *e, const struct plane *p, int x, int y, int component) {
  if (x + 8 <= p->width && y + 8 <= p->height) {
    put_block(e, p->samples + (size_t)y * (size_t)p->width + x, p->width, component);
    return;
  }
  uint8_t block[64];
  for (int i = 0; i < 64; i++) {
    int column = x + i % 8 < p->width ? x + i % 8 : p->width - 1;
    int row = y + i / 8 < p->height ? y + i / 8 : p->height - 1;
    block[i] = p->samples[(size_t)row * (size_t)p->width + column];
  }
  put_block(e, block, 8, component);
}

void jpeg_encode(struct jpeg *jpeg, const struct canvas *c, int quality) {
  struct encoder e = {.out = jpeg};
  struct plane luma = {c->y, c->width, c->height};
  struct plane chroma[2] = {{c->u, c->chroma_width, c->chroma_height},
                            {c->v, c->chroma_width, c->chroma_height}};
  jpeg->length = 0;
  reserve(jpeg, 4096);
  make_codes(&e);
  make_steps(&e, quality);
  put_headers(&e, c);
  for (int y = 0; y < c->height; y += 16) {
    for (int x = 0; x < c->width; x += 16) {
      reserve(jpeg, MCU_BYTES);
      for (int b = 0; b < 4; b++) {
        put_plane_block(&e, &luma, x + 8 * (b % 2), y + 8 * (b / 2), 0);
      }
      for (int i = 0; i < 2; i++) put_plane_block(&e, &chroma[i], x / 2, y / 2, 1 + i);
    }
  }
  put_bits(&e, 0x7f, 7);
  put(jpeg, 0xff);
  put(jpeg, 0xd9);
}
