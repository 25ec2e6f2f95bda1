// An encrypted H.264 byte stream, decrypted as it is read and cut into NAL units.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aes-ctr.h"

struct nal_reader {
  int file;
  const char *path;
  struct aes_ctr cipher;
  uint8_t *buffer;
  size_t capacity, start, end;  // plaintext not yet handed out lies in [start, end)
  bool at_end;
};

// One NAL unit with a three-byte start code before it; valid until the next call.
struct nal_unit {
  uint8_t *bytes;
  size_t length;  // start code included
  int type;       // nal_unit_type of the header byte
};

// Opens the stream and makes sure that it decrypts to H.264; ends the program when it does not.
void nal_reader_open(struct nal_reader *reader, const char *path, const char *key_path,
                     const char *iv_path);

// The next NAL unit; false at the end of the stream.
bool nal_reader_next(struct nal_reader *reader, struct nal_unit *unit);

void nal_reader_close(struct nal_reader *reader);
