// Version 0.2 and above: three 32-bit numbers and a 64-bit count of training pictures, then for each
// convolution biases, [scales, means, variances,] weights as little-endian floats. darknet reads the
// count with the size of the machine's long, which on a 32-bit machine shifts every weight by one.
#include "weights.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/memory.h"
#include "multiply.h"

struct source {
  int file;
  const char *path;
};

static uint64_t header_bytes(struct source *from, uint64_t length) {
  int32_t version[3];
  uint64_t seen = 0;
  if (length < 16 || read_some(from->file, version, 12, from->path) != 12) {
    fail(EXIT_WEIGHTS, "%s has %llu bytes: too short for a weights file", from->path,
         (unsigned long long)length);
  }
  if (version[0] != 0 || version[1] < 1 || version[1] > 9) {
    fail(EXIT_WEIGHTS, "%s has version %d.%d; versions 0.1 to 0.9 are known", from->path,
         version[0], version[1]);
  }
  size_t counter = version[1] >= 2 ? 8 : 4;
  read_some(from->file, &seen, counter, from->path);
  return 12 + counter;
}

static uint64_t expected_bytes(const struct network *n) {
  uint64_t floats = 0;
  for (int i = 0; i < n->layer_count; i++) {
    const struct layer *l = &n->layers[i];
    if (l->kind != CONVOLUTION) continue;
    floats += (uint64_t)l->out.channels * (l->batch_normalize ? 4 : 1) + weight_floats(l);
  }
  return floats * sizeof(float);
}

static void read_floats(struct source *from, float *to, size_t count) {
  if (read_some(from->file, to, count * sizeof *to, from->path) != count * sizeof *to) {
    fail(EXIT_WEIGHTS, "%s became shorter while it was read", from->path);
  }
}

// Folds scale * (sum - mean) / (sqrt(variance) + 1e-6) + bias into weights and bias.
static void fold(struct layer *l, const float *scales, const float *means, const float *variances,
                 float *weights, int number) {
  size_t each = weight_floats(l) / (size_t)l->out.channels;
  for (int f = 0; f < l->out.channels; f++) {
    float factor = scales[f] / (sqrtf(variances[f]) + 0.000001f);
    if (!isfinite(factor)) {
      fail(EXIT_WEIGHTS, "layer %d: filter %d has no usable variance", number, f);
    }
    l->biases[f] -= means[f] * factor;
    for (size_t i = 0; i < each; i++) weights[(size_t)f * each + i] *= factor;
  }
}

static void expect_numbers(const float *values, size_t count, int number) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) {
      fail(EXIT_WEIGHTS, "layer %d: a weight is no finite number; the file is damaged", number);
    }
  }
}

static void pack(struct layer *l, float *weights) {
  if (is_depthwise(l)) {
    l->weights = obtain_raw(weight_floats(l), sizeof(float), "weights");
    memcpy(l->weights, weights, weight_floats(l) * sizeof(float));
    return;
  }
  int rows = l->out.channels / l->groups;
  int depth = l->in.channels / l->groups * l->size * l->size;
  size_t group = packed_floats(rows, depth);
  l->weights = obtain_raw(group * (size_t)l->groups, sizeof(float), "weights");
  for (int g = 0; g < l->groups; g++) {
    pack_rows(weights + (size_t)g * (size_t)rows * (size_t)depth, rows, depth,
              l->weights + (size_t)g * group);
  }
}

static void load_layer(struct source *from, struct layer *l, int number, float *buffer) {
  size_t filters = (size_t)l->out.channels;
  float *statistics = obtain_raw(3 * filters, sizeof(float), "weights");
  l->biases = obtain_raw(filters, sizeof(float), "weights");
  read_floats(from, l->biases, filters);
  if (l->batch_normalize) read_floats(from, statistics, 3 * filters);
  read_floats(from, buffer, weight_floats(l));
  if (l->batch_normalize) {
    fold(l, statistics, statistics + filters, statistics + 2 * filters, buffer, number);
  }
  expect_numbers(l->biases, filters, number);
  expect_numbers(buffer, weight_floats(l), number);
  pack(l, buffer);
  free(statistics);
}

void network_load(struct network *n, const char *path) {
  uint64_t length;
  struct source from = {.path = path, .file = open_input(path, &length)};
  uint64_t expected = header_bytes(&from, length) + expected_bytes(n);
  if (length != expected) {
    fail(EXIT_WEIGHTS, "weights of the wrong size: %s has %llu bytes, the network needs %llu", path,
         (unsigned long long)length, (unsigned long long)expected);
  }
  size_t largest = 0;
  for (int i = 0; i < n->layer_count; i++) {
    const struct layer *l = &n->layers[i];
    if (l->kind == CONVOLUTION && weight_floats(l) > largest) largest = weight_floats(l);
  }
  float *buffer = obtain_raw(largest, sizeof(float), "weights");
  for (int i = 0; i < n->layer_count; i++) {
    if (n->layers[i].kind == CONVOLUTION) load_layer(&from, &n->layers[i], i, buffer);
  }
  free(buffer);
  close(from.file);
}
