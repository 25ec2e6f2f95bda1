// The layers that move values instead of weighing them.
#pragma once

#include "network.h"

void pool_max(const struct layer *layer, const float *in);
void upsample(const struct layer *layer, const float *in);
void route(const struct network *network, const struct layer *layer);
void add_shortcut(const struct network *network, const struct layer *layer, const float *in);
