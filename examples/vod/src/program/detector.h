// Everything the search for objects needs, made ready once.
#pragma once

#include "detect/labels.h"
#include "network/network.h"
#include "options.h"

struct detector {
  const struct options *options;
  struct network network;
  struct labels labels;
  float threshold;
};

// Reads network, weights and labels; ends the program when they do not fit together.
void detector_open(struct detector *detector, const struct options *options);

// Runs the network on a file of raw floats instead of a picture, for tests and measurements.
void detector_run_tensor(struct detector *detector);

// Writes a layer's raw output below the directory of --dump-layers.
void dump_layer(const struct options *options, int number, const struct layer *layer);

// Writes the network's input there.
void dump_input(const struct options *options, const struct network *network);
