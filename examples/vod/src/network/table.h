// The table of layers that darknet prints.
#pragma once

#include "network.h"

// Prints one line per layer on stderr.
void print_layers(const struct network *network);
