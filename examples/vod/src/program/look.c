// The steps for one picture, reported in the words of the original program.
#include "look.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "network/forward.h"
#include "picture/annotate.h"
#include "paths.h"

static void watch_layer(void *context, int number, const struct layer *layer) {
  struct looking *l = context;
  if (l->detector->options->dump) dump_layer(l->detector->options, number, layer);
  if (layer->kind == YOLO || layer->kind == REGION) {
    collect_detections(&l->found, layer, &l->reading);
  }
}

static double resize(struct looking *l, const struct frame *frame) {
  struct network *network = &l->detector->network;
  double begun = now_seconds();
  l->reading = (struct reading){
      .box = place_letterbox(frame->width, frame->height, network->in.width, network->in.height),
      .frame_width = frame->width,
      .frame_height = frame->height,
      .threshold = l->detector->threshold};
  fill_letterbox(&l->reading.box, frame, network->input);
  if (l->detector->options->dump) dump_input(l->detector->options, network);
  double seconds = now_seconds() - begun;
  printf("Image normalized and resized: %f seconds\n", seconds);
  return seconds;
}

static double predict(struct looking *l, const struct frame *frame) {
  printf("Starting prediction...\n");
  fflush(stdout);
  double begun = now_seconds();
  l->found.count = 0;
  network_run(&l->detector->network, watch_layer, l);
  finish_detections(&l->found, l->detector->options->overlap, frame->width, frame->height);
  double seconds = now_seconds() - begun;
  printf("Prediction duration: %f seconds\n", seconds);
  return seconds;
}

static double save(struct looking *l, const struct frame *frame) {
  char path[64];
  double begun = now_seconds();
  snprintf(path, sizeof path, OUTPUT_DIRECTORY "/prediction.%d.jpg", frame->index);
  printf("Saving prediction to %s...\n", path + 1);
  canvas_copy(&l->canvas, frame);
  annotate(&l->canvas, &l->found, &l->detector->labels);
  jpeg_encode(&l->jpeg, &l->canvas, l->detector->options->quality);
  write_file(path, l->jpeg.bytes, l->jpeg.length);
  double seconds = now_seconds() - begun;
  printf("Write duration: %f seconds\n", seconds);
  return seconds;
}

bool look_at_picture(void *context, const struct frame *frame) {
  struct looking *l = context;
  const struct options *options = l->detector->options;
  struct timings timings;
  if (!is_selected(options, frame->index)) return is_more_wanted(options, frame->index);
  printf("Image %d ===========================\n", frame->index);
  timings.resize = resize(l, frame);
  timings.predict = predict(l, frame);
  printf("Detection probabilities:\n");
  for (int i = 0; i < l->found.count; i++) {
    const struct detection *d = &l->found.items[i];
    printf("%s: %.0f%%\n", l->detector->labels.names[d->class], (double)d->score * 100);
  }
  timings.write = save(l, frame);
  printf("Detector run: %f seconds\n", timings.predict + timings.write);
  fflush(stdout);
  result_add(&l->result, frame->index, frame->width, frame->height, &timings, &l->found,
             &l->detector->labels);
  return is_more_wanted(options, frame->index);
}
