// JSON, written front to back. Durations are left out when the policy switches the clock off.
#include "result.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "paths.h"

enum { PIECE_BYTES = 512 };

static void append(struct result *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct result *r, const char *format, ...) {
  va_list arguments;
  if (r->capacity - r->length < PIECE_BYTES) {
    r->capacity = 2 * r->capacity + 4096;
    r->text = enlarge(r->text, r->capacity, 1, "the result");
  }
  va_start(arguments, format);
  r->length += (size_t)vsnprintf(r->text + r->length, PIECE_BYTES, format, arguments);
  va_end(arguments);
}

// Labels hold no control characters; quotes and backslashes are the rest that needs escaping.
static void append_string(struct result *r, const char *text) {
  append(r, "\"");
  for (; *text != 0; text++) append(r, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
  append(r, "\"");
}

static void append_detection(struct result *r, const struct detection *d,
                             const struct labels *labels) {
  append(r, "{\"label\":");
  append_string(r, labels->names[d->class]);
  append(r, ",\"class\":%d,\"score\":%.4f,", d->class, (double)d->score);
  append(r, "\"box\":{\"x\":%.1f,\"y\":%.1f,\"width\":%.1f,\"height\":%.1f}}", (double)d->left,
         (double)d->top, (double)d->width, (double)d->height);
}

void result_add(struct result *r, int index, int width, int height, const struct timings *t,
                const struct detections *found, const struct labels *labels) {
  append(r, r->pictures++ == 0 ? "{\"frames\":[\n" : ",\n");
  append(r, "{\"index\":%d,\"width\":%d,\"height\":%d,", index, width, height);
  append(r, "\"picture\":\"" OUTPUT_DIRECTORY "/prediction.%d.jpg\",", index);
  if (has_clock()) {
    append(r, "\"timings\":{\"resize\":%.6f,\"predict\":%.6f,\"write\":%.6f},", t->resize,
           t->predict, t->write);
  }
  append(r, "\"detections\":[");
  for (int i = 0; i < found->count; i++) {
    if (i > 0) append(r, ",");
    append_detection(r, &found->items[i], labels);
  }
  append(r, "]}");
}

void result_write(struct result *r, float threshold) {
  if (r->pictures == 0) append(r, "{\"frames\":[");
  append(r, "\n],\"threshold\":%.3f}\n", (double)threshold);
  write_file(OUTPUT_DIRECTORY "/detections.json", r->text, r->length);
}
