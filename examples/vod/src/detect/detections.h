// Objects found in one picture.
#pragma once

#include "network/network.h"
#include "picture/letterbox.h"

struct detection {
  int class;
  float score;                     // objectness times class score, 0..1
  float left, top, width, height;  // in pixels of the picture
};

struct detections {
  int count, capacity;
  struct detection *items;
};

// How a layer's grid is read: the picture's size and place, and the least score that counts.
struct reading {
  struct letterbox box;
  int frame_width, frame_height;
  float threshold;
};

// Adds what a yolo or region layer found.
void collect_detections(struct detections *found, const struct layer *layer,
                        const struct reading *reading);

// Sorts by falling score, removes weaker boxes of the same class that overlap by more than
// `overlap` (intersection over union), and clips the rest to the picture.
void finish_detections(struct detections *found, float overlap, int frame_width, int frame_height);
