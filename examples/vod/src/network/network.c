// cfg sections to layers, with every shape checked before anything is allocated.
#include "network.h"

#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "config.h"
#include "read-layer.h"

// Keeps every product of dimensions far below 2^31 and every buffer below the 32-bit space.
static const double floats_limit = 256.0 * 1024 * 1024;

size_t shape_floats(struct shape shape) {
  return (size_t)shape.width * (size_t)shape.height * (size_t)shape.channels;
}

size_t weight_floats(const struct layer *layer) {
  return (size_t)layer->out.channels * (size_t)(layer->in.channels / layer->groups) *
         (size_t)(layer->size * layer->size);
}

bool is_depthwise(const struct layer *layer) {
  return layer->groups > 1 && layer->groups == layer->in.channels &&
         layer->out.channels == layer->in.channels;
}

double layer_bflops(const struct layer *layer) {
  return 2.0 * (double)weight_floats(layer) * layer->out.width * layer->out.height / 1e9;
}

static void read_net(struct network *network, struct section *section) {
  if (strcmp(section->name, "net") != 0 && strcmp(section->name, "network") != 0) {
    fail(EXIT_NETWORK, "the first section of the network description must be [net]");
  }
  network->in.width = option_int(section, "width", 0, 1, 4096);
  network->in.height = option_int(section, "height", 0, 1, 4096);
  network->in.channels = option_int(section, "channels", 3, 3, 3);
  network->score_threshold = option_float(section, "detect_threshold", -1);
  if (network->in.width == 0 || network->in.height == 0) {
    fail(EXIT_NETWORK, "[net] needs width and height");
  }
}

void network_read(struct network *network, const char *path) {
  struct config config;
  *network = (struct network){0};
  config_read(&config, path);
  read_net(network, &config.sections[0]);
  network->layers = obtain((size_t)config.section_count, sizeof(struct layer), "the layers");
  for (int i = 1; i < config.section_count; i++) {
    struct section *section = &config.sections[i];
    struct layer *layer = &network->layers[network->layer_count];
    layer->line = section->line;
    read_layer(network, section, layer);
    struct shape out = layer->out;
    if (out.width < 1 || out.height < 1 || out.channels < 1) {
      fail(EXIT_NETWORK, "[%s] of line %d has no output: its input is only %d x %d", section->name,
           section->line, layer->in.width, layer->in.height);
    }
    if (out.width > 4096 || out.height > 4096 ||
        (double)out.width * out.height * out.channels > floats_limit) {
      fail(EXIT_NETWORK, "[%s] of line %d: an output of %d x %d x %d is too large", section->name,
           section->line, out.width, out.height, out.channels);
    }
    report_unused(section);
    network->layer_count++;
  }
  if (network->layer_count == 0) fail(EXIT_NETWORK, "%s describes no layer", path);
  config_free(&config);
}
