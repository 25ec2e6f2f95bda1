// Runs a network.
#pragma once

#include "network.h"

// Called after each layer, while its output is in memory.
typedef void layer_watcher(void *context, int number, const struct layer *layer);

// Computes every layer from network->input; `watch` may be NULL.
void network_run(const struct network *network, layer_watcher *watch, void *context);
