// The sections that compute. Options that would change the result and are not implemented are
// refused; options for training are known and ignored.
#include "read-layer.h"

#include <string.h>

#include "base/fail.h"

enum { CHANNELS_LIMIT = 65536, KERNEL_LIMIT = 31, STRIDE_LIMIT = 16 };

static const double weights_limit = 256.0 * 1024 * 1024;

static void refuse(const struct section *section, const char *reason) {
  fail(EXIT_NETWORK, "[%s] of line %d: %s", section->name, section->line, reason);
}

// Options whose neutral value is 0 and whose other values ask for something else than we compute.
static void expect_zero(struct section *section, const char *const *keys) {
  for (; *keys != NULL; keys++) {
    if (option_float(section, *keys, 0) != 0) {
      fail(EXIT_NETWORK, "[%s] of line %d: %s is not supported", section->name, section->line,
           *keys);
    }
  }
}

static enum activation read_activation(struct section *section, const char *fallback) {
  static const char *const names[] = {"linear", "leaky", "relu", "logistic", "mish"};
  const char *name = option_text(section, "activation", fallback);
  for (int i = LINEAR; i <= MISH; i++) {
    if (strcmp(name, names[i]) == 0) return (enum activation)i;
  }
  fail(EXIT_NETWORK, "[%s] of line %d: activation %.40s is not supported", section->name,
       section->line, name);
}

// A layer number, from the beginning or, when negative, back from this layer.
static int read_source(const struct network *network, const struct section *section, float number) {
  int at = (int)number;
  if (at < 0) at += network->layer_count;
  if ((float)(int)number != number || at < 0 || at >= network->layer_count) {
    refuse(section, "it reads a layer that does not exist before it");
  }
  return at;
}

static void read_convolution(struct section *section, struct layer *layer) {
  static const char *const zero[] = {"binary", "xnor", "antialiasing", "share_index", "deform",
                                     "assisted_excitation", "rotate", "sway", "stretch", NULL};
  layer->kind = CONVOLUTION;
  layer->out.channels = option_int(section, "filters", 1, 1, CHANNELS_LIMIT);
  layer->size = option_int(section, "size", 1, 1, KERNEL_LIMIT);
  layer->stride = option_int(section, "stride", 1, 1, STRIDE_LIMIT);
  layer->padding = option_int(section, "padding", 0, 0, KERNEL_LIMIT);
  if (option_int(section, "pad", 0, 0, 1) == 1) layer->padding = layer->size / 2;
  layer->groups = option_int(section, "groups", 1, 1, CHANNELS_LIMIT);
  layer->batch_normalize = option_int(section, "batch_normalize", 0, 0, 1) == 1;
  layer->activation = read_activation(section, "logistic");
  expect_zero(section, zero);
  if (option_int(section, "dilation", 1, 1, KERNEL_LIMIT) != 1) {
    refuse(section, "dilation is not supported");
  }
  if (layer->in.channels % layer->groups != 0 || layer->out.channels % layer->groups != 0) {
    refuse(section, "groups divides neither its channels nor its filters evenly");
  }
  if ((double)layer->out.channels * (layer->in.channels / layer->groups) * layer->size *
          layer->size > weights_limit) {
    refuse(section, "it has more weights than a 32-bit program can hold");
  }
  layer->out.width = (layer->in.width + 2 * layer->padding - layer->size) / layer->stride + 1;
  layer->out.height = (layer->in.height + 2 * layer->padding - layer->size) / layer->stride + 1;
  if (layer->in.width + 2 * layer->padding < layer->size) layer->out.width = 0;
  if (layer->in.height + 2 * layer->padding < layer->size) layer->out.height = 0;
}

static void read_max_pool(struct section *section, struct layer *layer) {
  static const char *const zero[] = {"maxpool_depth", "antialiasing", NULL};
  layer->kind = MAX_POOL;
  layer->stride = option_int(section, "stride", 1, 1, STRIDE_LIMIT);
  layer->size = option_int(section, "size", layer->stride, 1, KERNEL_LIMIT);
  layer->padding = option_int(section, "padding", layer->size - 1, 0, 2 * KERNEL_LIMIT);
  expect_zero(section, zero);
  layer->out = layer->in;
  layer->out.width = (layer->in.width + layer->padding - layer->size) / layer->stride + 1;
  layer->out.height = (layer->in.height + layer->padding - layer->size) / layer->stride + 1;
}

static void read_upsample(struct section *section, struct layer *layer) {
  layer->kind = UPSAMPLE;
  layer->stride = option_int(section, "stride", 2, 1, STRIDE_LIMIT);
  if (option_float(section, "scale", 1) != 1) refuse(section, "scale is not supported");
  layer->out = layer->in;
  layer->out.width *= layer->stride;
  layer->out.height *= layer->stride;
}

static void read_route(const struct network *network, struct section *section,
                       struct layer *layer) {
  float numbers[ROUTE_INPUTS];
  layer->kind = ROUTE;
  layer->source_count = option_list(section, "layers", numbers, ROUTE_INPUTS);
  layer->groups = option_int(section, "groups", 1, 1, CHANNELS_LIMIT);
  layer->group = option_int(section, "group_id", 0, 0, layer->groups - 1);
  if (layer->source_count == 0) refuse(section, "a route needs layers");
  for (int i = 0; i < layer->source_count; i++) {
    int source = layer->sources[i] = read_source(network, section, numbers[i]);
    struct shape shape = network->layers[source].out;
    if (i == 0) layer->out = (struct shape){shape.width, shape.height, 0};
    if (shape.width != layer->out.width || shape.height != layer->out.height) {
      refuse(section, "the layers it joins differ in width or height");
    }
    if (shape.channels % layer->groups != 0) refuse(section, "groups does not divide its channels");
    layer->out.channels += shape.channels / layer->groups;
  }
}

static void read_shortcut(const struct network *network, struct section *section,
                          struct layer *layer) {
  static const char *const zero[] = {"weights_type", "weights_normalization", NULL};
  float number;
  layer->kind = SHORTCUT;
  layer->source_count = option_list(section, "from", &number, 1);
  if (layer->source_count != 1) refuse(section, "a shortcut needs from");
  layer->sources[0] = read_source(network, section, number);
  layer->activation = read_activation(section, "linear");
  expect_zero(section, zero);
  struct shape other = network->layers[layer->sources[0]].out;
  layer->out = layer->in;
  if (other.width != layer->in.width || other.height != layer->in.height ||
      other.channels != layer->in.channels) {
    refuse(section, "the two layers it adds differ in shape");
  }
}

static void read_dropout(struct section *section, struct layer *layer) {
  static const char *const zero[] = {"dropblock", NULL};
  layer->kind = DROPOUT;
  (void)option_float(section, "probability", 0);
  expect_zero(section, zero);
  layer->out = layer->in;
}

void read_layer(const struct network *network, struct section *section, struct layer *layer) {
  const char *name = section->name;
  int count = network->layer_count;
  layer->in = count == 0 ? network->in : network->layers[count - 1].out;
  layer->groups = 1;
  if (strcmp(name, "convolutional") == 0 || strcmp(name, "conv") == 0) {
    read_convolution(section, layer);
  } else if (strcmp(name, "maxpool") == 0 || strcmp(name, "max") == 0) {
    read_max_pool(section, layer);
  } else if (strcmp(name, "upsample") == 0) {
    read_upsample(section, layer);
  } else if (strcmp(name, "route") == 0) {
    read_route(network, section, layer);
  } else if (strcmp(name, "shortcut") == 0) {
    read_shortcut(network, section, layer);
  } else if (strcmp(name, "dropout") == 0) {
    read_dropout(section, layer);
  } else if (strcmp(name, "yolo") == 0) {
    read_yolo(section, layer);
  } else if (strcmp(name, "region") == 0) {
    read_region(section, layer);
  } else {
    fail(EXIT_NETWORK, "line %d: the section [%.40s] is not supported", section->line, name);
  }
}
