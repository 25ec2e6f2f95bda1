// Byte stream format of H.264 Annex B. Only one NAL unit and one read are in memory at a time, so
// that a video of any length needs a few megabytes; its plaintext never touches a file.
#include "nal-reader.h"

#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/memory.h"

enum { READ_BYTES = 256 * 1024, UNIT_LIMIT = 64 * 1024 * 1024, START_CODE = 3 };

static void read_secret(const char *path, uint8_t secret[16]) {
  uint64_t length;
  int file = open_input(path, &length);
  if (length != 16 || read_some(file, secret, 16, path) != 16) {
    fail(EXIT_INPUT, "%s has %llu bytes; AES-128 needs exactly 16", path,
         (unsigned long long)length);
  }
  close(file);
}

// Makes room, reads and decrypts more; false when the file is at its end.
static bool refill(struct nal_reader *r) {
  if (r->at_end) return false;
  if (r->start > 0) {
    memmove(r->buffer, r->buffer + r->start, r->end - r->start);
    r->end -= r->start, r->start = 0;
  }
  if (r->capacity - r->end < READ_BYTES) {
    if (r->capacity >= UNIT_LIMIT) {
      fail(EXIT_DAMAGED, "the video has a NAL unit of more than %d MiB", UNIT_LIMIT >> 20);
    }
    r->capacity *= 2;
    r->buffer = enlarge(r->buffer, r->capacity, 1, "the video stream");
  }
  size_t got = read_some(r->file, r->buffer + r->end, READ_BYTES, r->path);
  aes_ctr_apply(&r->cipher, r->buffer + r->end, got);
  r->end += got;
  r->at_end = got < READ_BYTES;
  return got > 0;
}

// Index of the next 00 00 01 at or after `from`, or -1. Past `from`, `*resume` is where to go on.
static ptrdiff_t find_start_code(const struct nal_reader *r, size_t from, size_t *resume) {
  const uint8_t *b = r->buffer;
  size_t i = from;
  while (i + START_CODE <= r->end) {
    if (b[i + 2] > 1) {
      i += 3;
    } else if (b[i] == 0 && b[i + 1] == 0 && b[i + 2] == 1) {
      return (ptrdiff_t)i;
    } else {
      i++;
    }
  }
  *resume = i;
  return -1;
}

bool nal_reader_next(struct nal_reader *r, struct nal_unit *unit) {
  size_t resume = r->start;
  ptrdiff_t begin;
  while ((begin = find_start_code(r, resume, &resume)) < 0) {
    size_t skipped = resume - r->start;
    if (!refill(r)) return false;
    resume = r->start + skipped;
  }
  r->start = (size_t)begin;
  resume = r->start + START_CODE;
  ptrdiff_t next;
  while ((next = find_start_code(r, resume, &resume)) < 0) {
    size_t scanned = resume - r->start;
    if (!refill(r)) break;
    resume = r->start + scanned;
  }
  size_t stop = next < 0 ? r->end : (size_t)next;
  unit->bytes = r->buffer + r->start;
  r->start = stop;
  while (stop > (size_t)(unit->bytes - r->buffer) + START_CODE && r->buffer[stop - 1] == 0) stop--;
  unit->length = (size_t)(r->buffer + stop - unit->bytes);
  unit->type = unit->length > START_CODE ? unit->bytes[START_CODE] & 31 : 0;
  return true;
}

// Decryption cannot fail by itself: CTR turns a wrong key into noise. A byte stream has to begin
// with zero bytes and a start code, and noise does so once in four thousand million times.
static void expect_start_code(const struct nal_reader *r) {
  size_t i = 0;
  while (i < r->end && i < 8 && r->buffer[i] == 0) i++;
  bool found = i >= 2 && i < r->end && r->buffer[i] == 1;
  if (!found || i + 1 >= r->end || (r->buffer[i + 1] & 0x80) != 0) {
    fail(EXIT_NOT_VIDEO,
         "decryption failed: %s did not become an H.264 byte stream; "
         "the key or the iv is wrong, or the file is no encrypted H.264",
         r->path);
  }
}

void nal_reader_open(struct nal_reader *r, const char *path, const char *key_path,
                     const char *iv_path) {
  uint8_t key[16], iv[16];
  uint64_t length;
  memset(r, 0, sizeof *r);
  read_secret(key_path, key);
  read_secret(iv_path, iv);
  aes_ctr_begin(&r->cipher, key, iv);
  explicit_bzero(key, sizeof key);
  r->path = path;
  r->file = open_input(path, &length);
  if (length == 0) fail(EXIT_NOT_VIDEO, "%s is empty", path);
  r->capacity = 2 * READ_BYTES;
  r->buffer = obtain_raw(r->capacity, 1, "the video stream");
  refill(r);
  expect_start_code(r);
}

void nal_reader_close(struct nal_reader *r) {
  close(r->file);
  aes_ctr_end(&r->cipher);
}
