// Strict: an argument that is not understood ends the program before anything is read.
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static long whole(const char *name, const char *text, char end_mark, char **end, long least) {
  errno = 0;
  long number = strtol(text, end, 10);
  if (errno != 0 || *end == text || (**end != 0 && **end != end_mark) || number < least ||
      number > INT_MAX) {
    fail(EXIT_USAGE, "%s: %.40s is not what it takes", name, text);
  }
  return number;
}

static int positive(const char *name, const char *text, long most) {
  char *end;
  long number = whole(name, text, 0, &end, 1);
  if (number > most) fail(EXIT_USAGE, "%s is at most %ld", name, most);
  return (int)number;
}

static float part(const char *name, const char *text) {
  char *end;
  float number = strtof(text, &end);
  if (end == text || *end != 0 || !(number >= 0 && number <= 1)) {
    fail(EXIT_USAGE, "%s: %.40s is not a number from 0 to 1", name, text);
  }
  return number;
}

// FIRST:COUNT, or FIRST: for all from there on.
static void read_range(struct options *o, const char *text) {
  char *end;
  o->first = (int)whole("--frames", text, ':', &end, 0);
  if (*end != ':') fail(EXIT_USAGE, "--frames takes FIRST:COUNT or FIRST:");
  if (end[1] != 0) o->count = positive("--frames", end + 1, INT_MAX);
}

struct options read_options(int count, char **arguments) {
  struct options o = {.count = -1, .every = 1, .threshold = -1, .overlap = 0.45f, .quality = 85,
                      .repeat = 1};
  for (int i = 1; i < count; i++) {
    const char *name = arguments[i];
    if (strcmp(name, "--decode-only") == 0) {
      o.decode_only = true;
      continue;
    }
    const char *value = i + 1 < count ? arguments[++i] : NULL;
    if (value == NULL) fail(EXIT_USAGE, "%.40s is unknown or lacks its value", name);
    if (strcmp(name, "--frames") == 0) {
      read_range(&o, value);
    } else if (strcmp(name, "--every") == 0) {
      o.every = positive(name, value, INT_MAX);
    } else if (strcmp(name, "--threshold") == 0) {
      o.threshold = part(name, value);
    } else if (strcmp(name, "--overlap") == 0) {
      o.overlap = part(name, value);
    } else if (strcmp(name, "--quality") == 0) {
      o.quality = positive(name, value, 100);
    } else if (strcmp(name, "--dump-layers") == 0) {
      o.dump = value;
    } else if (strcmp(name, "--tensor") == 0) {
      o.tensor = value;
    } else if (strcmp(name, "--repeat") == 0) {
      o.repeat = positive(name, value, 10000);
    } else {
      fail(EXIT_USAGE, "the argument %.40s is unknown", name);
    }
  }
  return o;
}

bool is_selected(const struct options *o, int index) {
  if (index < o->first || (index - o->first) % o->every != 0) return false;
  return o->count < 0 || index - o->first < o->count;
}

bool is_more_wanted(const struct options *o, int index) {
  return o->count < 0 || index < o->first || index - o->first < o->count - 1;
}
