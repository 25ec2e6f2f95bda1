// A network as the engine runs it: layers with their shapes, weights and place in memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum layer_kind { CONVOLUTION, MAX_POOL, UPSAMPLE, ROUTE, SHORTCUT, DROPOUT, YOLO, REGION };

enum activation { LINEAR, LEAKY, RELU, LOGISTIC, MISH };

enum { ROUTE_INPUTS = 32, ANCHORS = 32, NETWORK_LAYERS = 1023 };

struct shape {
  int width, height, channels;
};

struct layer {
  enum layer_kind kind;
  int line;  // of its section in the cfg file
  struct shape in, out;

  // convolution, pooling, upsampling
  int size, stride, padding, groups;
  bool batch_normalize;
  enum activation activation;
  float *weights;  // packed as multiply.h or depthwise.h want them, batch normalisation folded in
  float *biases;

  // route and shortcut: numbers of the layers that are read
  int source_count, sources[ROUTE_INPUTS];
  int group;  // route takes the group-th of `groups` equal parts of each source

  // yolo and region
  int classes, anchor_count;
  float anchors[2 * ANCHORS];  // width and height of the anchors this layer uses
  float scale_xy;
  bool softmax, background;

  // place of the output
  int buffer;
  float *output;
};

struct network {
  struct shape in;
  float score_threshold;  // detect_threshold of [net]; negative when the file does not say
  int layer_count;
  struct layer *layers;
  float *input;
  float *arena;    // all layer outputs, those that never live together in the same place
  size_t arena_floats;
  float *scratch;  // padded inputs and packed blocks of the layer that runs
  size_t scratch_floats;
};

// Reads a cfg file; ends the program with EXIT_NETWORK when the engine cannot run what it says.
void network_read(struct network *network, const char *path);

// Bytes of an output of this shape, in floats.
size_t shape_floats(struct shape shape);

// Number of weights of a convolution, without biases.
size_t weight_floats(const struct layer *layer);

// A convolution of one filter per channel, which has its own kernel.
bool is_depthwise(const struct layer *layer);

// Billions of multiplications and additions, as darknet counts them.
double layer_bflops(const struct layer *layer);
