// One picture: look for objects, say what was found, save the annotated picture.
#pragma once

#include "detect/detections.h"
#include "picture/canvas.h"
#include "picture/jpeg.h"
#include "video/frame.h"
#include "detector.h"
#include "result.h"

struct looking {
  struct detector *detector;
  struct result result;
  struct detections found;
  struct canvas canvas;
  struct jpeg jpeg;
  struct reading reading;
};

// A picture_taker whose context is a struct looking.
bool look_at_picture(void *context, const struct frame *frame);
