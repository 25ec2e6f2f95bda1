// Names of the classes.
#pragma once

struct labels {
  int count;
  char **names;
};

// Reads one name per line; ends the program with EXIT_LABELS unless there are `expected` names.
void labels_read(struct labels *labels, const char *path, int expected);
