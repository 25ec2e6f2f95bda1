// darknet's weights file.
#pragma once

#include "network.h"

// Reads `path` into the network's layers; ends the program with EXIT_WEIGHTS when the file does not
// have exactly the weights that the network needs, or some that are no numbers.
void network_load(struct network *network, const char *path);
