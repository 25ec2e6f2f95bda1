// What --decode-only prints: hashes of decoded pictures, to compare with another decoder's.
#pragma once

#include "video/frame.h"
#include "base/sha256.h"
#include "options.h"

struct hashing {
  const struct options *options;
  struct sha256 all;
};

// A picture_taker whose context is a struct hashing: prints the SHA-256 of each picture's I420.
bool hash_picture(void *context, const struct frame *frame);
