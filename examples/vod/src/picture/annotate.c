// One colour per class, a frame around each object, and a tag with its name and score. Tags give
// way to those of surer objects.
#include "annotate.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "font.h"

enum { TAGS = 256, TEXT_BYTES = 96 };

static const struct colour ink = {16, 128, 128};

// Hues a golden angle apart, so that neighbouring classes differ; bright enough for dark letters.
static struct colour class_colour(int class) {
  float angle = (float)class * 2.3999632f + 2.4f;
  return (struct colour){170, (uint8_t)(128 + 70 * cosf(angle)), (uint8_t)(128 + 70 * sinf(angle))};
}

// Letters grow with the picture: one dot per 400 lines.
static int text_scale(const struct canvas *c) {
  int scale = (c->height + 200) / 400;
  return scale > 1 ? scale : 1;
}

static void draw_frame(struct canvas *c, const struct detection *d, int line,
                       struct colour colour) {
  int left = (int)d->left, top = (int)d->top;
  int width = (int)(d->left + d->width) - left, height = (int)(d->top + d->height) - top;
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

struct tag {
  char text[TEXT_BYTES];
  struct colour colour;
  int left, top, width, height;
};

static bool overlap(const struct tag *a, const struct tag *b) {
  return a->left < b->left + b->width && b->left < a->left + a->width &&
         a->top < b->top + b->height && b->top < a->top + a->height;
}

// Moves the tag down past the ones placed before it, unless that leads out of the picture.
static void avoid(struct tag *tag, const struct tag *placed, int count, int bottom) {
  int top = tag->top;
  for (int i = 0; i < count; i++) {
    if (!overlap(tag, &placed[i])) continue;
    tag->top = placed[i].top + placed[i].height;
    if (tag->top + tag->height > bottom) {
      tag->top = top;
      return;
    }
    i = -1;
  }
}

// Above the object's frame where there is room, else inside it.
static void place_tag(const struct canvas *c, struct tag *tag, const struct detection *d,
                      int line) {
  int scale = text_scale(c), letters = 0;
  while (tag->text[letters] != 0) letters++;
  tag->width = letters * FONT_ADVANCE * scale + 3 * scale;
  tag->height = (FONT_HEIGHT + 3) * scale;
  tag->left = (int)d->left;
  tag->top = (int)d->top;
  if (tag->top >= tag->height) tag->top += line - tag->height;
  if (tag->left + tag->width > c->width) tag->left = c->width - tag->width;
  if (tag->left < 0) tag->left = 0;
}

void annotate(struct canvas *c, const struct detections *found, const struct labels *labels) {
  static struct tag tags[TAGS];
  int line = c->height * 4 / 1000 > 2 ? c->height * 4 / 1000 : 2;
  int count = found->count < TAGS ? found->count : TAGS;
  for (int i = found->count - 1; i >= 0; i--) {
    const struct detection *d = &found->items[i];
    draw_frame(c, d, line, class_colour(d->class));
  }
  for (int i = 0; i < count; i++) {
    const struct detection *d = &found->items[i];
    struct tag *tag = &tags[i];
    snprintf(tag->text, sizeof tag->text, "%s %.0f%%", labels->names[d->class],
             (double)d->score * 100);
    tag->colour = class_colour(d->class);
    place_tag(c, tag, d, line);
    avoid(tag, tags, i, c->height);
  }
  for (int i = count - 1; i >= 0; i--) {
    const struct tag *tag = &tags[i];
    canvas_fill(c, tag->left, tag->top, tag->width, tag->height, tag->colour);
    draw_text(c, tag->left + 2 * text_scale(c), tag->top + 2 * text_scale(c), text_scale(c),
              tag->text);
  }
}
