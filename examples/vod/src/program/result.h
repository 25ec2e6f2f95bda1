// The machine-readable result, /output/detections.json.
#pragma once

#include <stddef.h>

#include "detect/detections.h"
#include "detect/labels.h"

struct timings {
  double resize, predict, write;  // seconds
};

struct result {
  char *text;
  size_t length, capacity;
  int pictures;
};

// Adds one picture and what was found in it.
void result_add(struct result *result, int index, int width, int height,
                const struct timings *timings, const struct detections *found,
                const struct labels *labels);

// Completes the document and writes it.
void result_write(struct result *result, float threshold);
