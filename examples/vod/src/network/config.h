// The text of a darknet cfg file, cut into sections and options; meaning comes later.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CONFIG_SECTIONS = 1024, CONFIG_OPTIONS = 48 };

struct option {
  const char *key, *value;
  int line;
  bool used;
};

struct section {
  const char *name;  // without brackets
  int line;
  int option_count;
  struct option options[CONFIG_OPTIONS];
};

struct config {
  const char *path;
  char *text;
  int section_count;
  struct section *sections;
};

// Reads and cuts `path`; ends the program with EXIT_NETWORK when it is no cfg file.
void config_read(struct config *config, const char *path);
void config_free(struct config *config);

// The value of `key` and marks it used; `fallback` when the section does not have it.
const char *option_text(struct section *section, const char *key, const char *fallback);

// As a whole number from `least` to `most`.
int option_int(struct section *section, const char *key, int fallback, int least, int most);

// As a finite number.
float option_float(struct section *section, const char *key, float fallback);

// A comma-separated list of at most `capacity` numbers; returns how many there are.
int option_list(struct section *section, const char *key, float *numbers, int capacity);

// Says on stderr which options nobody asked for, as darknet does.
void report_unused(const struct section *section);
