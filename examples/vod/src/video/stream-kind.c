// The first three bytes of a sequence parameter set (H.264 7.3.2.1.1).
#include "stream-kind.h"

#include "base/fail.h"

static const char *profile_name(int profile) {
  switch (profile) {
    case 44: return "CAVLC 4:4:4 Intra";
    case 66: return "Baseline";
    case 77: return "Main";
    case 88: return "Extended";
    case 100: return "High";
    case 110: return "High 10";
    case 122: return "High 4:2:2";
    case 244: return "High 4:4:4 Predictive";
    default: return "unknown";
  }
}

void refuse_profile(int profile) {
  fail(EXIT_UNSUPPORTED,
       "the video uses the H.264 %s profile (profile_idc %d); this decoder knows Constrained "
       "Baseline only. Re-encode it, for example: "
       "ffmpeg -i IN -an -c:v libx264 -profile:v baseline -pix_fmt yuv420p OUT.h264",
       profile_name(profile), profile);
}

struct stream_kind read_stream_kind(const struct nal_unit *unit) {
  if (unit->length < 7) fail(EXIT_DAMAGED, "the video's sequence parameter set is cut off");
  struct stream_kind kind = {.profile = unit->bytes[4]};
  bool obeys_baseline = (unit->bytes[5] & 0x80) != 0;
  if (kind.profile != BASELINE_PROFILE && !obeys_baseline) refuse_profile(kind.profile);
  kind.constrained = (unit->bytes[5] & 0xc0) == 0xc0;
  return kind;
}
