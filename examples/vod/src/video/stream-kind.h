// Which profile a stream claims, and whether the decoder can be asked to decode it.
#pragma once

#include <stdbool.h>

#include "nal-reader.h"

enum { BASELINE_PROFILE = 66 };

struct stream_kind {
  int profile;       // profile_idc
  bool constrained;  // without slice groups, slices out of order and redundant slices
};

// Reads the head of a sequence parameter set; ends the program when the profile is not baseline.
struct stream_kind read_stream_kind(const struct nal_unit *unit);

// Ends the program with EXIT_UNSUPPORTED and the profile's name.
_Noreturn void refuse_profile(int profile);
