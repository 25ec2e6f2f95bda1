/* Runs a network in Debian's darknet and writes what every layer gave: the peer of the engine's tests and of the
   benchmark. Usage: run-network CFG WEIGHTS INPUT OUTPUT RUNS
   INPUT and OUTPUT are raw floats; OUTPUT may be "-" for none. Prints the seconds of each run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "darknet.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  network *net = load_network(argv[1], argv[2], 0);
  set_batch_network(net, 1);
  float *input = calloc((size_t)net->inputs, sizeof *input);
  FILE *file = fopen(argv[3], "rb");
  if (!input || !file || fread(input, sizeof *input, (size_t)net->inputs, file) != (size_t)net->inputs) {
    fprintf(stderr, "the input does not hold %d floats\n", net->inputs);
    return 1;
  }
  fclose(file);
  for (int run = 0; run < atoi(argv[5]); run++) {
    double start = now();
    network_predict(net, input);
    printf("%.6f\n", now() - start);
  }
  if (strcmp(argv[4], "-") == 0) return 0;
  file = fopen(argv[4], "wb");
  if (!file) return 1;
  for (int i = 0; i < net->n; i++) {
    int32_t count = net->layers[i].outputs;
    fwrite(&count, sizeof count, 1, file);
    fwrite(net->layers[i].output, sizeof(float), (size_t)count, file);
  }
  return fclose(file) == 0 ? 0 : 1;
}
