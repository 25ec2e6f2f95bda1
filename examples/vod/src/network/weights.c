// Version 0.2 and above: three 32-bit numbers and a 64-bit count of training pictures, then for
// each convolution biases, [scales, means, variances,] weights as little-endian floats. darknet
// reads the count with the size of the machine's long, which on a 32-bit machine shifts every
// weight.
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
#include "winograd.h"

enum { BATCH_FLOATS = 256 * 1024 };

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

static void expect_numbers(const float *values, size_t count, int number) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) {
      fail(EXIT_WEIGHTS, "layer %d: a weight is no finite number; the file is damaged", number);
    }
  }
}

// Reads biases and, with batch normalisation, folds scale * (sum - mean) / (sqrt(variance) + 1e-6)
// into them. What remains for the weights is a factor per filter.
static void read_biases(struct source *from, struct layer *l, int number, float *factors) {
  size_t filters = (size_t)l->out.channels;
  float *means = factors + filters, *variances = means + filters;
  l->biases = obtain_raw(filters, sizeof(float), "weights");
  read_floats(from, l->biases, filters);
  if (l->batch_normalize) read_floats(from, factors, 3 * filters);
  for (size_t f = 0; f < filters; f++) {
    if (!l->batch_normalize) {
      factors[f] = 1;
      continue;
    }
    factors[f] /= sqrtf(variances[f]) + 0.000001f;
    l->biases[f] -= means[f] * factors[f];
  }
  expect_numbers(factors, filters, number);
  expect_numbers(l->biases, filters, number);
}

static size_t kernel_floats(const struct layer *l, int rows, int depth) {
  if (is_depthwise(l)) return weight_floats(l);
  if (is_winograd(l)) return winograd_weight_floats(l);
  return packed_floats(rows, depth) * (size_t)l->groups;
}

// Puts `count` filters from `first` on, of a group of `rows`, where the kernel will look for them.
static void pack(const struct layer *l, int group, int first, int count, const float *weights) {
  int rows = l->out.channels / l->groups;
  int depth = l->in.channels / l->groups * l->size * l->size;
  if (is_depthwise(l)) {
    memcpy(l->weights + (size_t)(group + first) * (size_t)depth, weights,
           (size_t)count * (size_t)depth * sizeof *weights);
  } else if (is_winograd(l)) {
    winograd_pack(l, first, count, weights);
  } else {
    float *strips = l->weights + packed_floats(rows, depth) * (size_t)group;
    pack_rows(weights, count, depth, strips + packed_floats(first, depth));
  }
}

// A few filters at a time, so that a layer's weights are never in memory twice.
static void load_layer(struct source *from, struct layer *l, int number) {
  int rows = l->out.channels / l->groups;
  int depth = l->in.channels / l->groups * l->size * l->size;
  int batch = BATCH_FLOATS / depth / TILE_ROWS * TILE_ROWS;
  if (batch < TILE_ROWS) batch = TILE_ROWS;
  if (batch > rows) batch = rows;
  float *factors = obtain_raw(3 * (size_t)l->out.channels, sizeof(float), "weights");
  float *weights = obtain_raw((size_t)batch * (size_t)depth, sizeof(float), "weights");
  read_biases(from, l, number, factors);
  l->weights = obtain(kernel_floats(l, rows, depth), sizeof(float), "weights");
  for (int filter = 0; filter < l->out.channels;) {
    int group = filter / rows, first = filter % rows;
    int count = rows - first < batch ? rows - first : batch;
    read_floats(from, weights, (size_t)count * (size_t)depth);
    for (int r = 0; r < count; r++) {
      for (int k = 0; k < depth; k++) weights[r * depth + k] *= factors[filter + r];
    }
    expect_numbers(weights, (size_t)count * (size_t)depth, number);
    pack(l, group, first, count, weights);
    filter += count;
  }
  free(weights);
  free(factors);
}

void network_load(struct network *n, const char *path) {
  uint64_t length;
  struct source from = {.path = path, .file = open_input(path, &length)};
  uint64_t expected = header_bytes(&from, length) + expected_bytes(n);
  if (length != expected) {
    fail(EXIT_WEIGHTS, "weights of the wrong size: %s has %llu bytes, the network needs %llu", path,
         (unsigned long long)length, (unsigned long long)expected);
  }
  for (int i = 0; i < n->layer_count; i++) {
    if (n->layers[i].kind == CONVOLUTION) load_layer(&from, &n->layers[i], i);
  }
  close(from.file);
}
