// H.264 to pictures.
#pragma once

#include <stdbool.h>

#include "frame.h"
#include "nal-reader.h"

// Takes a picture; false when no further one is wanted. The picture is gone when it returns.
typedef bool picture_taker(void *context, const struct frame *frame);

struct video_summary {
  int width, height, frames;
  double seconds;  // spent on decoding alone
};

// Decodes the stream and hands each picture to `take`. Ends the program when the video is of a kind
// the decoder does not know, is damaged, or has no picture.
void decode_video(struct nal_reader *reader, picture_taker *take, void *context,
                  struct video_summary *summary);
