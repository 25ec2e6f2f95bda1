// Command-line arguments. A policy gives none: every default is right without them.
#pragma once

#include <stdbool.h>

struct options {
  // Which pictures: each `every`-th of the `count` (-1: all) from `first` on.
  int first, count, every;
  float threshold;          // least score; negative: what the cfg file says, else 0.3
  float overlap;            // of two boxes that are taken for one object
  int quality;              // of the JPEG pictures
  bool decode_only;         // print a hash per picture instead of looking for objects
  const char *dump;         // directory for the raw output of each layer, of the first picture
  const char *tensor;       // file to take the network's input from, instead of a video
  int repeat;               // how often the tensor is run
};

// Reads the arguments; ends the program with EXIT_USAGE.
struct options read_options(int count, char **arguments);

// Whether picture `index` is among those asked for.
bool is_selected(const struct options *options, int index);

// Whether a picture after `index` may still be.
bool is_more_wanted(const struct options *options, int index);
