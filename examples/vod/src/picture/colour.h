// YCbCr to RGB after ITU-R BT.601.
#pragma once

#include "video/frame.h"

// Converts line `number`; `rgb` gets one row each of red, green and blue, `width` bytes long.
void convert_line(const struct frame *frame, int number, uint8_t *rgb);
