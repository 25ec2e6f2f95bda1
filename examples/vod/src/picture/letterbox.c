// Bilinear scaling with darknet's sampling grid: the corners of the input meet the corners of the
// picture. Only the lines that are sampled are converted to RGB.
#include "letterbox.h"

#include <stdlib.h>

#include "base/memory.h"
#include "colour.h"

// Two converted lines of the picture, each scaled to the inner width; lines come in rising order.
struct line_pair {
  int number[2];
  float *line[2];  // three rows of inner_width
  uint8_t *rgb;
};

struct letterbox place_letterbox(int frame_width, int frame_height, int width, int height) {
  struct letterbox box = {.width = width, .height = height};
  if ((float)width / (float)frame_width < (float)height / (float)frame_height) {
    box.inner_width = width;
    box.inner_height = frame_height * width / frame_width;
  } else {
    box.inner_height = height;
    box.inner_width = frame_width * height / frame_height;
  }
  if (box.inner_width < 1) box.inner_width = 1;
  if (box.inner_height < 1) box.inner_height = 1;
  box.left = (width - box.inner_width) / 2;
  box.top = (height - box.inner_height) / 2;
  return box;
}

static float step(int from, int to) { return to > 1 ? (float)(from - 1) / (float)(to - 1) : 0; }

static void scale_line(const uint8_t *rgb, int from, float *line, int to) {
  float scale = step(from, to);
  for (int channel = 0; channel < 3; channel++) {
    const uint8_t *in = rgb + (size_t)channel * (size_t)from;
    float *out = line + (size_t)channel * (size_t)to;
    for (int x = 0; x < to; x++) {
      float at = (float)x * scale;
      int left = (int)at;
      if (x == to - 1 || left >= from - 1) {
        out[x] = (float)in[from - 1] * (1 / 255.0f);
      } else {
        float part = at - (float)left;
        out[x] = ((1 - part) * (float)in[left] + part * (float)in[left + 1]) * (1 / 255.0f);
      }
    }
  }
}

// The scaled line `number`, from the pair or made in the place of the older one.
static const float *line_of(struct line_pair *pair, const struct letterbox *box,
                            const struct frame *frame, int number) {
  for (int i = 0; i < 2; i++) {
    if (pair->number[i] == number) return pair->line[i];
  }
  int slot = pair->number[0] <= pair->number[1] ? 0 : 1;
  convert_line(frame, number, pair->rgb);
  scale_line(pair->rgb, frame->width, pair->line[slot], box->inner_width);
  pair->number[slot] = number;
  return pair->line[slot];
}

void fill_letterbox(const struct letterbox *box, const struct frame *frame, float *planes) {
  size_t plane = (size_t)box->width * (size_t)box->height;
  size_t inner = (size_t)box->inner_width;
  struct line_pair pair = {.number = {-1, -1}};
  for (size_t i = 0; i < 3 * plane; i++) planes[i] = 0.5f;
  pair.rgb = obtain_raw(3 * (size_t)frame->width, 1, "a line of the picture");
  for (int i = 0; i < 2; i++) pair.line[i] = obtain_raw(3 * inner, sizeof(float), "a scaled line");
  float scale = step(frame->height, box->inner_height);
  for (int y = 0; y < box->inner_height; y++) {
    float at = (float)y * scale;
    bool single = y == box->inner_height - 1 || (int)at >= frame->height - 1;
    int upper = single ? frame->height - 1 : (int)at;
    float part = at - (float)upper;
    const float *a = line_of(&pair, box, frame, upper);
    const float *b = single ? a : line_of(&pair, box, frame, upper + 1);
    for (int channel = 0; channel < 3; channel++) {
      float *out = planes + (size_t)channel * plane +
                   (size_t)(box->top + y) * (size_t)box->width + (size_t)box->left;
      const float *c = a + (size_t)channel * inner, *d = b + (size_t)channel * inner;
      for (size_t x = 0; x < inner; x++) {
        out[x] = single ? c[x] : (1 - part) * c[x] + part * d[x];
      }
    }
  }
  free(pair.rgb);
  free(pair.line[0]);
  free(pair.line[1]);
}
