// One colour per class, a frame around the object, and a tag with its name and score.
#include "annotate.h"

#include <math.h>
#include <stdio.h>

#include "font.h"

static const struct colour ink = {16, 128, 128};

// Hues a golden angle apart, so that neighbouring classes differ; bright enough for dark letters.
static struct colour class_colour(int class) {
  float angle = (float)class * 2.3999632f + 2.4f;
  return (struct colour){170, (uint8_t)(128 + 70 * cosf(angle)), (uint8_t)(128 + 70 * sinf(angle))};
}

static void draw_frame(struct canvas *c, int left, int top, int width, int height, int line,
                       struct colour colour) {
  canvas_fill(c, left, top, width, line, colour);
  canvas_fill(c, left, top + height - line, width, line, colour);
  canvas_fill(c, left, top, line, height, colour);
  canvas_fill(c, left + width - line, top, line, height, colour);
}

static void draw_text(struct canvas *c, int left, int top, int scale, const char *text) {
  for (; *text != 0; text++, left += FONT_ADVANCE * scale) {
    const unsigned char *glyph = font_glyph(*text);
    for (int y = 0; y < FONT_HEIGHT; y++) {
      for (int x = 0; x < FONT_WIDTH; x++) {
        if (glyph[y] >> (FONT_WIDTH - 1 - x) & 1) {
          canvas_fill(c, left + x * scale, top + y * scale, scale, scale, ink);
        }
      }
    }
  }
}

static void draw_tag(struct canvas *c, int left, int top, int line, struct colour colour,
                     const char *text) {
  int scale = (c->height + 200) / 400 > 1 ? (c->height + 200) / 400 : 1;
  int letters = 0;
  while (text[letters] != 0) letters++;
  int width = letters * FONT_ADVANCE * scale + 3 * scale;
  int height = (FONT_HEIGHT + 3) * scale;
  int tag_top = top >= height ? top - height + line : top;
  if (left + width > c->width) left = c->width - width;
  if (left < 0) left = 0;
  canvas_fill(c, left, tag_top, width, height, colour);
  draw_text(c, left + 2 * scale, tag_top + 2 * scale, scale, text);
}

void annotate(struct canvas *c, const struct detections *found, const struct labels *labels) {
  int line = c->height * 4 / 1000 > 2 ? c->height * 4 / 1000 : 2;
  for (int i = found->count - 1; i >= 0; i--) {
    const struct detection *d = &found->items[i];
    char text[96];
    struct colour colour = class_colour(d->class);
    int left = (int)d->left, top = (int)d->top;
    int width = (int)(d->left + d->width) - left, height = (int)(d->top + d->height) - top;
    snprintf(text, sizeof text, "%s %.0f%%", labels->names[d->class], (double)d->score * 100);
    draw_frame(c, left, top, width, height, line, colour);
    draw_tag(c, left, top, line, colour, text);
  }
}
