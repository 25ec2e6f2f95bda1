// Opens the detector's parts to the tests: one part a run, files in, files out.
//   probe layers CFG WEIGHTS INPUT OUTPUT WIDTH HEIGHT THRESHOLD OVERLAP
//     every layer's output for one input; what is found in a picture of that size, on stdout
//   probe cipher KEY IV INPUT OUTPUT CHUNK    AES-128-CTR in pieces of at most CHUNK bytes
//   probe frames VIDEO KEY IV OUTPUT          decoded pictures as cropped I420
//   probe input VIDEO KEY IV OUTPUT SIZE      the first picture as the network's input
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/file.h"
#include "../../src/base/memory.h"
#include "../../src/detect/detections.h"
#include "../../src/network/forward.h"
#include "../../src/network/plan.h"
#include "../../src/network/weights.h"
#include "../../src/picture/letterbox.h"
#include "../../src/video/decode.h"

// All that is written in one run; write_file writes a file at once.
static uint8_t *written;
static size_t written_bytes, written_capacity;

static void put(const void *bytes, size_t length) {
  if (written_bytes + length > written_capacity) {
    written_capacity = 2 * (written_bytes + length);
    written = enlarge(written, written_capacity, 1, "output");
  }
  memcpy(written + written_bytes, bytes, length);
  written_bytes += length;
}

static void *read_whole(const char *path, size_t *length) {
  return read_text(path, (size_t)1 << 30, length);
}

struct watching {
  struct detections found;
  struct reading reading;
};

static void watch_layer(void *context, int number, const struct layer *layer) {
  struct watching *watching = context;
  int32_t count = (int32_t)shape_floats(layer->out);
  (void)number;
  put(&count, sizeof count);
  put(layer->output, (size_t)count * sizeof *layer->output);
  if (layer->kind == YOLO || layer->kind == REGION) {
    collect_detections(&watching->found, layer, &watching->reading);
  }
}

static int probe_layers(char **argv) {
  struct network network = {0};
  size_t length;
  network_read(&network, argv[0]);
  network_plan(&network);
  network_load(&network, argv[1]);
  float *input = read_whole(argv[2], &length);
  memcpy(network.input, input, length);
  int width = atoi(argv[4]), height = atoi(argv[5]);
  struct watching watching = {
      .reading = {.network = &network,
                  .box = place_letterbox(width, height, network.in.width, network.in.height),
                  .frame_width = width,
                  .frame_height = height,
                  .threshold = (float)atof(argv[6])}};
  network_run(&network, watch_layer, &watching);
  finish_detections(&watching.found, (float)atof(argv[7]), width, height);
  for (int i = 0; i < watching.found.count; i++) {
    const struct detection *d = &watching.found.items[i];
    printf("%d %.6f %.3f %.3f %.3f %.3f\n", d->class, (double)d->score, (double)d->left,
           (double)d->top, (double)d->width, (double)d->height);
  }
  write_file(argv[3], written, written_bytes);
  return 0;
}

static int probe_cipher(char **argv) {
  size_t length, ignored;
  struct aes_ctr cipher;
  const uint8_t *key = read_whole(argv[0], &ignored), *iv = read_whole(argv[1], &ignored);
  uint8_t *bytes = read_whole(argv[2], &length);
  size_t chunk = (size_t)atoi(argv[4]);
  aes_ctr_begin(&cipher, key, iv);
  for (size_t at = 0, step = 1; at < length; at += step, step = step % chunk + 1) {
    if (step > length - at) step = length - at;
    aes_ctr_apply(&cipher, bytes + at, step);
  }
  aes_ctr_end(&cipher);
  write_file(argv[3], bytes, length);
  return 0;
}

static void put_plane(const uint8_t *plane, int stride, int width, int height) {
  for (int y = 0; y < height; y++) put(plane + (size_t)y * (size_t)stride, (size_t)width);
}

static bool put_frame(void *context, const struct frame *frame) {
  (void)context;
  put_plane(frame->y, frame->stride_y, frame->width, frame->height);
  put_plane(frame->u, frame->stride_c, frame->width / 2, frame->height / 2);
  put_plane(frame->v, frame->stride_c, frame->width / 2, frame->height / 2);
  return true;
}

static bool put_input(void *context, const struct frame *frame) {
  int size = *(const int *)context;
  struct letterbox box = place_letterbox(frame->width, frame->height, size, size);
  size_t count = 3 * (size_t)size * (size_t)size;
  float *planes = obtain(count, sizeof *planes, "input");
  fill_letterbox(&box, frame, planes);
  put(planes, count * sizeof *planes);
  return false;
}

static int probe_video(char **argv, picture_taker *take, void *context) {
  struct nal_reader reader;
  struct video_summary summary;
  nal_reader_open(&reader, argv[0], argv[1], argv[2]);
  decode_video(&reader, take, context, &summary);
  nal_reader_close(&reader);
  printf("%d %d %d\n", summary.width, summary.height, summary.frames);
  write_file(argv[3], written, written_bytes);
  return 0;
}

int main(int argc, char **argv) {
  const char *part = argc > 1 ? argv[1] : "";
  if (strcmp(part, "layers") == 0 && argc == 10) return probe_layers(argv + 2);
  if (strcmp(part, "cipher") == 0 && argc == 7) return probe_cipher(argv + 2);
  if (strcmp(part, "frames") == 0 && argc == 6) return probe_video(argv + 2, put_frame, NULL);
  if (strcmp(part, "input") == 0 && argc == 7) {
    int size = atoi(argv[6]);
    return probe_video(argv + 2, put_input, &size);
  }
  return 1;
}
