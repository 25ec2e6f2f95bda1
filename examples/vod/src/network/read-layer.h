// One cfg section to one layer.
#pragma once

#include "config.h"
#include "network.h"

// Fills `layer`, the next of `network`; ends the program when the engine cannot run the section.
void read_layer(const struct network *network, struct section *section, struct layer *layer);

// Sections that find objects, in read-detection.c.
void read_yolo(struct section *section, struct layer *layer);
void read_region(struct section *section, struct layer *layer);
