// darknet's cfg format: [section], key=value, # and ; begin comments, blanks do not count anywhere.
// Stricter than darknet: a key twice in a section, or a number that is not one, is an error.
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/memory.h"

enum { CONFIG_BYTES = 1024 * 1024 };

// Takes one line off `*rest`, removes its blanks in place and returns it; NULL at the end.
static char *take_line(char **rest) {
  char *line = *rest, *out = line;
  if (*line == 0) return NULL;
  size_t length = strcspn(line, "\n");
  *rest = line + length + (line[length] == '\n');
  for (size_t i = 0; i < length; i++) {
    if (strchr(" \t\r", line[i]) == NULL) *out++ = line[i];
  }
  *out = 0;
  return line;
}

static void begin_section(struct config *c, char *line, int number) {
  size_t length = strlen(line);
  if (length < 3 || line[length - 1] != ']') {
    fail(EXIT_NETWORK, "%s line %d: a section name needs brackets around it", c->path, number);
  }
  if (c->section_count == CONFIG_SECTIONS) {
    fail(EXIT_NETWORK, "%s has more than %d sections", c->path, CONFIG_SECTIONS);
  }
  line[length - 1] = 0;
  c->sections[c->section_count++] = (struct section){.name = line + 1, .line = number};
}

static void add_option(struct config *c, char *line, int number) {
  char *sign = strchr(line, '=');
  if (sign == NULL || sign == line || c->section_count == 0) {
    fail(EXIT_NETWORK, "%s line %d: expected key=value inside a section", c->path, number);
  }
  *sign = 0;
  struct section *section = &c->sections[c->section_count - 1];
  for (int i = 0; i < section->option_count; i++) {
    if (strcmp(section->options[i].key, line) == 0) {
      fail(EXIT_NETWORK, "%s line %d: %s is given twice in one section", c->path, number, line);
    }
  }
  if (section->option_count == CONFIG_OPTIONS) {
    fail(EXIT_NETWORK, "%s line %d: more than %d options in one section", c->path, number,
         CONFIG_OPTIONS);
  }
  section->options[section->option_count++] =
      (struct option){.key = line, .value = sign + 1, .line = number};
}

void config_read(struct config *c, const char *path) {
  size_t length;
  *c = (struct config){.path = path};
  c->text = read_text(path, CONFIG_BYTES, &length);
  if (strlen(c->text) != length) fail(EXIT_NETWORK, "%s holds a NUL byte: no cfg file", path);
  c->sections = obtain(CONFIG_SECTIONS, sizeof *c->sections, "the network description");
  char *rest = c->text, *line;
  for (int number = 1; (line = take_line(&rest)) != NULL; number++) {
    if (*line == 0 || *line == '#' || *line == ';') continue;
    if (*line == '[') {
      begin_section(c, line, number);
    } else {
      add_option(c, line, number);
    }
  }
  if (c->section_count == 0) fail(EXIT_NETWORK, "%s has no section", path);
}

void config_free(struct config *c) {
  free(c->sections);
  free(c->text);
}

const char *option_text(struct section *section, const char *key, const char *fallback) {
  for (int i = 0; i < section->option_count; i++) {
    if (strcmp(section->options[i].key, key) != 0) continue;
    section->options[i].used = true;
    return section->options[i].value;
  }
  return fallback;
}

int option_int(struct section *section, const char *key, int fallback, int least, int most) {
  const char *text = option_text(section, key, NULL);
  if (text == NULL) return fallback;
  char *end;
  errno = 0;
  long number = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != 0 || number < least || number > most) {
    fail(EXIT_NETWORK, "[%s] of line %d: %s=%.40s is not a whole number from %d to %d",
         section->name, section->line, key, text, least, most);
  }
  return (int)number;
}

static float number_at(const struct section *section, const char *key, const char *text,
                       char **end) {
  float number = strtof(text, end);
  if (*end == text || (**end != 0 && **end != ',') || !isfinite(number)) {
    fail(EXIT_NETWORK, "[%s] of line %d: %s has something that is not a number: %.40s",
         section->name, section->line, key, text);
  }
  return number;
}

float option_float(struct section *section, const char *key, float fallback) {
  float number;
  int count = option_list(section, key, &number, 1);
  return count == 0 ? fallback : number;
}

int option_list(struct section *section, const char *key, float *numbers, int capacity) {
  const char *text = option_text(section, key, NULL);
  if (text == NULL) return 0;
  int count = 0;
  for (;;) {
    char *end;
    if (count == capacity) {
      fail(EXIT_NETWORK, "[%s] of line %d: %s has more than %d numbers", section->name,
           section->line, key, capacity);
    }
    numbers[count++] = number_at(section, key, text, &end);
    if (*end == 0) return count;
    text = end + 1;
    if (*text == 0) return count;  // upstream files end some lists with a comma
  }
}

void report_unused(const struct section *section) {
  for (int i = 0; i < section->option_count; i++) {
    const struct option *option = &section->options[i];
    if (!option->used) {
      fprintf(stderr, "Unused field: '%.60s = %.60s'\n", option->key, option->value);
    }
  }
}
