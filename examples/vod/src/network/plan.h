// Gives every layer output a place in one arena.
#pragma once

#include "network.h"

// Allocates input, arena and scratch space and sets every layer's output.
void network_plan(struct network *network);

// Whether the layer's output is its first source's, or its input, under another name.
bool is_alias(const struct layer *layer);
