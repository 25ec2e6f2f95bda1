// I420: the planes Y, U and V line by line, cropped, without gaps.
#include "hash-pictures.h"

#include <stdio.h>

static void add_plane(struct hashing *h, struct sha256 *one, const uint8_t *from, int stride,
                      int width, int height) {
  for (int y = 0; y < height; y++, from += stride) {
    sha256_add(one, from, (size_t)width);
    sha256_add(&h->all, from, (size_t)width);
  }
}

bool hash_picture(void *context, const struct frame *f) {
  struct hashing *h = context;
  struct sha256 one;
  char text[65];
  int chroma_width = (f->width + 1) / 2, chroma_height = (f->height + 1) / 2;
  if (!is_selected(h->options, f->index)) return is_more_wanted(h->options, f->index);
  sha256_begin(&one);
  add_plane(h, &one, f->y, f->stride_y, f->width, f->height);
  add_plane(h, &one, f->u, f->stride_c, chroma_width, chroma_height);
  add_plane(h, &one, f->v, f->stride_c, chroma_width, chroma_height);
  sha256_hex(&one, text);
  printf("frame %d %dx%d sha256 %s\n", f->index, f->width, f->height, text);
  return is_more_wanted(h->options, f->index);
}
