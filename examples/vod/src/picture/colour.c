// BT.601 in 16.16 fixed point: limited range (16..235, 16..240) unless the stream says full range.
#include "colour.h"

#include <stddef.h>

struct coefficients {
  int black, luma, red_v, green_u, green_v, blue_u;
};

static const struct coefficients limited = {16, 76309, 104597, -25675, -53279, 132201};
static const struct coefficients full = {0, 65536, 91881, -22554, -46802, 116130};

static uint8_t clamp(int value) {
  value = (value + 32768) >> 16;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void convert_line(const struct frame *frame, int number, uint8_t *rgb) {
  struct coefficients k = frame->full_range ? full : limited;
  const uint8_t *y = frame->y + (size_t)number * (size_t)frame->stride_y;
  const uint8_t *u = frame->u + (size_t)(number / 2) * (size_t)frame->stride_c;
  const uint8_t *v = frame->v + (size_t)(number / 2) * (size_t)frame->stride_c;
  uint8_t *red = rgb, *green = red + frame->width, *blue = green + frame->width;
  for (int x = 0; x < frame->width; x++) {
    int luma = k.luma * (y[x] - k.black), cb = u[x / 2] - 128, cr = v[x / 2] - 128;
    red[x] = clamp(luma + k.red_v * cr);
    green[x] = clamp(luma + k.green_u * cb + k.green_v * cr);
    blue[x] = clamp(luma + k.blue_u * cb);
  }
}
