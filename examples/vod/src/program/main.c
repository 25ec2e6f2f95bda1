// The video object detector: an encrypted H.264 video in, annotated pictures and a table of
// detections out. Runs in a keep as a WebAssembly module; see README.md for paths and exit codes.
#include <stdio.h>

#include "base/clock.h"
#include "base/fail.h"
#include "video/decode.h"
#include "hash-pictures.h"
#include "look.h"
#include "paths.h"

static const char rule[] = "------------------------------------------------------";

static void report_decoding(const struct video_summary *v) {
  fprintf(stderr, "H264 source file name: s3_app_input/in_enc.h264..\n-%s\n", rule);
  fprintf(stderr, "iWidth:\t\t%d\nheight:\t\t%d\nFrames:\t\t%d\n", v->width, v->height, v->frames);
  fprintf(stderr, "decode time:\t%f sec\n", v->seconds);
  fprintf(stderr, "FPS:\t\t%f fps\n-%s\n", v->seconds > 0 ? v->frames / v->seconds : 0, rule);
}

static void hash_video(struct nal_reader *reader, const struct options *options) {
  struct hashing hashing = {.options = options};
  struct video_summary summary;
  char text[65];
  sha256_begin(&hashing.all);
  decode_video(reader, hash_picture, &hashing, &summary);
  sha256_hex(&hashing.all, text);
  printf("all %d frames sha256 %s\n", summary.frames, text);
  report_decoding(&summary);
}

static void search_video(struct nal_reader *reader, struct detector *detector) {
  static struct looking looking;
  struct video_summary summary;
  double begun = now_seconds();
  looking.detector = detector;
  printf("Starting decoding...\n%s\n", rule);
  fflush(stdout);
  decode_video(reader, look_at_picture, &looking, &summary);
  if (looking.result.pictures == 0) {
    fail(EXIT_USAGE, "no frames were processed: the video has %d, none of those asked for",
         summary.frames);
  }
  result_write(&looking.result, detector->threshold);
  printf("Finished decoding: %f seconds\n", now_seconds() - begun);
  report_decoding(&summary);
}

int main(int count, char **arguments) {
  struct options options = read_options(count, arguments);
  static struct detector detector;
  struct nal_reader reader;
  double begun = now_seconds();
  setvbuf(stdout, NULL, _IOFBF, 4096);
  if (!options.tensor) {
    printf("Decrypting video...\n");
    fflush(stdout);
    nal_reader_open(&reader, VIDEO_PATH, KEY_PATH, IV_PATH);
  }
  if (options.decode_only) {
    hash_video(&reader, &options);
  } else {
    printf("Initializing detector...\n");
    fflush(stdout);
    detector_open(&detector, &options);
    printf("Arguments loaded and network parsed: %f seconds\n", now_seconds() - begun);
    if (options.tensor) {
      detector_run_tensor(&detector);
    } else {
      search_video(&reader, &detector);
    }
  }
  if (!options.tensor) nal_reader_close(&reader);
  return 0;
}
