// A names file: printable text, one name per line, nothing else.
#include "labels.h"

#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/memory.h"

enum { NAMES_BYTES = 1024 * 1024, NAME_BYTES = 64 };

static void add(struct labels *labels, char *name, const char *path) {
  for (const char *c = name; *c != 0; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) {
      fail(EXIT_LABELS, "%s line %d holds a control character", path, labels->count + 1);
    }
  }
  if (strlen(name) > NAME_BYTES) {
    fail(EXIT_LABELS, "%s line %d is longer than %d bytes", path, labels->count + 1, NAME_BYTES);
  }
  labels->names = enlarge(labels->names, (size_t)labels->count + 1, sizeof(char *), "labels");
  labels->names[labels->count++] = name;
}

void labels_read(struct labels *labels, const char *path, int expected) {
  size_t length;
  char *text = read_text(path, NAMES_BYTES, &length);
  *labels = (struct labels){0};
  if (strlen(text) != length) fail(EXIT_LABELS, "%s holds a NUL byte", path);
  for (char *rest = text; *rest != 0;) {
    char *name = rest;
    size_t line = strcspn(rest, "\n");
    bool more = rest[line] == '\n';
    rest[line] = 0;
    rest += line + more;
    size_t end = strlen(name);
    while (end > 0 && strchr(" \t\r", name[end - 1]) != NULL) name[--end] = 0;
    if (end > 0) add(labels, name, path);
  }
  if (labels->count != expected) {
    fail(EXIT_LABELS, "%s has %d names, the network has %d classes", path, labels->count, expected);
  }
}
