// Drawing happens in the colour space of both the video and the JPEG file: nothing is converted.
#include "canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void resize(struct canvas *c, int width, int height) {
  if (c->width == width && c->height == height) return;
  free(c->y);
  *c = (struct canvas){width, height, (width + 1) / 2, (height + 1) / 2, NULL, NULL, NULL};
  size_t luma = (size_t)width * (size_t)height;
  size_t chroma = (size_t)c->chroma_width * (size_t)c->chroma_height;
  c->y = obtain_raw(luma + 2 * chroma, 1, "the annotated picture");
  c->u = c->y + luma;
  c->v = c->u + chroma;
}

// value -> middle + (value - middle_in) * 255 / range, in 16.16 fixed point.
static void copy_plane(const uint8_t *from, int stride, uint8_t *to, int width, int height,
                       int offset, int factor, int middle) {
  for (int y = 0; y < height; y++, from += stride, to += width) {
    if (factor == 65536) {
      memcpy(to, from, (size_t)width);
      continue;
    }
    for (int x = 0; x < width; x++) {
      int value = middle + (((from[x] - offset) * factor + 32768) >> 16);
      to[x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
  }
}

void canvas_copy(struct canvas *c, const struct frame *f) {
  int luma = f->full_range ? 65536 : 255 * 65536 / 219;
  int chroma = f->full_range ? 65536 : 255 * 65536 / 224;
  resize(c, f->width, f->height);
  copy_plane(f->y, f->stride_y, c->y, c->width, c->height, 16, luma, 0);
  copy_plane(f->u, f->stride_c, c->u, c->chroma_width, c->chroma_height, 128, chroma, 128);
  copy_plane(f->v, f->stride_c, c->v, c->chroma_width, c->chroma_height, 128, chroma, 128);
}

static int within(int value, int most) { return value < 0 ? 0 : value > most ? most : value; }

void canvas_fill(struct canvas *c, int left, int top, int width, int height,
                 struct colour colour) {
  int x0 = within(left, c->width), x1 = within(left + width, c->width);
  int y0 = within(top, c->height), y1 = within(top + height, c->height);
  for (int y = y0; y < y1; y++) {
    memset(c->y + (size_t)y * (size_t)c->width + x0, colour.y, (size_t)(x1 - x0));
  }
  int cx0 = x0 / 2, cx1 = (x1 + 1) / 2;
  if (x1 <= x0 || y1 <= y0) return;
  for (int y = y0 / 2; y < (y1 + 1) / 2; y++) {
    size_t row = (size_t)y * (size_t)c->chroma_width + (size_t)cx0;
    memset(c->u + row, colour.u, (size_t)(cx1 - cx0));
    memset(c->v + row, colour.v, (size_t)(cx1 - cx0));
  }
}
