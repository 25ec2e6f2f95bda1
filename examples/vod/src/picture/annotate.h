// Boxes, labels and scores on a picture.
#pragma once

#include "detect/detections.h"
#include "detect/labels.h"
#include "canvas.h"

// Draws every detection; the surest ones come last and lie on top.
void annotate(struct canvas *canvas, const struct detections *found, const struct labels *labels);
