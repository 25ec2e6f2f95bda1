// Baseline JPEG (ITU-T T.81) in a JFIF file.
#pragma once

#include <stddef.h>

#include "canvas.h"

struct jpeg {
  unsigned char *bytes;
  size_t length, capacity;
};

// Encodes the picture with `quality` 1..100; the memory of `jpeg` is reused from call to call.
void jpeg_encode(struct jpeg *jpeg, const struct canvas *canvas, int quality);
