// Drives h264bsd, the constrained-baseline decoder, one NAL unit at a time. It conceals errors; a
// detector must not report on invented pixels, so here every concealed or lost picture is an error.
#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "h264bsd_decoder.h"
#include "stream-kind.h"

enum { SLICE = 1, IDR_SLICE = 5, PARAMETERS = 7, PICTURE_PARAMETERS = 8, CALLS_PER_UNIT = 4 };

struct decoding {
  storage_t *storage;
  picture_taker *take;
  void *context;
  struct video_summary *summary;
  int pictures_begun, profile;
  bool constrained, wanted;
};

// The decoder's own calls for memory.
void *H264SwDecMalloc(u32 size) { return malloc(size); }
void H264SwDecFree(void *block) { free(block); }
void H264SwDecMemcpy(void *to, void *from, u32 count) { memcpy(to, from, count); }
void H264SwDecMemset(void *block, i32 value, u32 count) { memset(block, value, count); }

static void describe(struct decoding *d, const uint8_t *picture, struct frame *frame) {
  u32 cropped, left = 0, width = 0, top = 0, height = 0;
  int full_width = (int)h264bsdPicWidth(d->storage) * 16;
  int full_height = (int)h264bsdPicHeight(d->storage) * 16;
  size_t area = (size_t)full_width * (size_t)full_height;
  h264bsdCroppingParams(d->storage, &cropped, &left, &width, &top, &height);
  if (!cropped) left = top = 0, width = (u32)full_width, height = (u32)full_height;
  if (width == 0 || height == 0 || left + width > (u32)full_width ||
      top + height > (u32)full_height) {
    fail(EXIT_DAMAGED, "the video crops its pictures to nothing");
  }
  frame->stride_y = full_width;
  frame->stride_c = full_width / 2;
  frame->y = picture + (size_t)top * (size_t)full_width + left;
  size_t chroma = (size_t)(top / 2) * (size_t)frame->stride_c + left / 2;
  frame->u = picture + area + chroma;
  frame->v = picture + area + area / 4 + chroma;
  frame->width = (int)width;
  frame->height = (int)height;
  frame->full_range = h264bsdVideoRange(d->storage) != 0;
}

static void hand_out(struct decoding *d) {
  u32 id, is_idr, invented;
  uint8_t *picture;
  while (d->wanted &&
         (picture = h264bsdNextOutputPicture(d->storage, &id, &is_idr, &invented)) != NULL) {
    struct frame frame = {.index = d->summary->frames};
    if (invented != 0) {
      fail(EXIT_DAMAGED, "the video is damaged or breaks off: %u blocks of picture %d are missing",
           invented, frame.index);
    }
    describe(d, picture, &frame);
    d->summary->width = frame.width;
    d->summary->height = frame.height;
    d->summary->frames++;
    d->wanted = d->take(d->context, &frame);
  }
}

static _Noreturn void refuse_unit(const struct decoding *d, const struct nal_unit *unit) {
  if (unit->type == PARAMETERS || unit->type == PICTURE_PARAMETERS) {
    if (d->profile != BASELINE_PROFILE) refuse_profile(d->profile);
    fail(EXIT_DAMAGED,
         "the video's parameter sets are damaged, or ask for what this decoder lacks");
  }
  fail(EXIT_DAMAGED, "the video is damaged: picture %d cannot be decoded", d->summary->frames);
}

static void decode_unit(struct decoding *d, struct nal_unit *unit) {
  for (int call = 0; call < CALLS_PER_UNIT; call++) {
    u32 used = 0;
    double begun = now_seconds();
    u32 result = h264bsdDecode(d->storage, unit->bytes, (u32)unit->length, 0, &used);
    d->summary->seconds += now_seconds() - begun;
    if (result == H264BSD_MEMALLOC_ERROR) {
      fail(EXIT_MEMORY, "out of memory: no room for the decoder's pictures; the policy's "
                        "max_memory_mib is too small");
    }
    if (result == H264BSD_RDY) return;
    if (result == H264BSD_PIC_RDY) hand_out(d);
    if (result == H264BSD_ERROR || result == H264BSD_PARAM_SET_ERROR) refuse_unit(d, unit);
    if (result == H264BSD_PIC_RDY && used != 0) return;
  }
  refuse_unit(d, unit);
}

// Looks at a unit before the decoder does, so that errors can be told apart.
static void inspect(struct decoding *d, const struct nal_unit *unit) {
  if (unit->type == PARAMETERS) {
    struct stream_kind kind = read_stream_kind(unit);
    d->profile = kind.profile;
    d->constrained = kind.constrained;
  }
  bool is_slice = unit->type >= SLICE && unit->type <= IDR_SLICE;
  if (is_slice && d->profile == 0) {
    fail(EXIT_NOT_VIDEO, "the video has no parameter sets before its first picture: "
                         "the key or the iv is wrong, or it is cut at its beginning");
  }
  if (is_slice && unit->type != SLICE && unit->type != IDR_SLICE) refuse_profile(d->profile);
  // first_mb_in_slice is 0 when its Exp-Golomb code is the single bit 1.
  if (is_slice && unit->length > 4 && (unit->bytes[4] & 0x80) != 0) d->pictures_begun++;
}

void decode_video(struct nal_reader *reader, picture_taker *take, void *context,
                  struct video_summary *summary) {
  static uint8_t delimiter[] = {0, 0, 1, 9, 0x10};
  struct decoding d = {.take = take, .context = context, .summary = summary, .wanted = true};
  struct nal_unit unit, last = {delimiter, sizeof delimiter, 9};
  memset(summary, 0, sizeof *summary);
  d.storage = obtain(1, sizeof *d.storage, "the decoder");
  // Without reordering: a baseline stream has none, and each picture comes out at once.
  if (h264bsdInit(d.storage, 1) != 0) fail(EXIT_MEMORY, "out of memory for the decoder");
  while (d.wanted && nal_reader_next(reader, &unit)) {
    inspect(&d, &unit);
    if (unit.length > 3) decode_unit(&d, &unit);
  }
  // An access unit delimiter makes the decoder finish a picture that has lost its end.
  if (d.wanted && d.profile != 0) decode_unit(&d, &last);
  if (d.wanted && d.constrained && d.pictures_begun > summary->frames) {
    fail(EXIT_DAMAGED, "the video is damaged: %d of its %d pictures cannot be decoded",
         d.pictures_begun - summary->frames, d.pictures_begun);
  }
  if (summary->frames == 0) {
    fail(EXIT_DAMAGED, "no frames were processed: the video has no picture");
  }
  h264bsdShutdown(d.storage);
  free(d.storage);
}
