// Files over plain descriptors: few and large calls, because each one crosses into the host.
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

int open_input(const char *path, uint64_t *length) {
  int file = open(path, O_RDONLY);
  if (file < 0) fail(EXIT_INPUT, "%s cannot be opened: %s", path, strerror(errno));
  off_t end = lseek(file, 0, SEEK_END);
  if (end < 0 || lseek(file, 0, SEEK_SET) != 0) {
    fail(EXIT_INPUT, "%s cannot be measured: %s", path, strerror(errno));
  }
  *length = (uint64_t)end;
  return file;
}

size_t read_some(int file, void *bytes, size_t capacity, const char *path) {
  size_t done = 0;
  while (done < capacity) {
    ssize_t got = read(file, (char *)bytes + done, capacity - done);
    if (got < 0) {
      if (errno == EINTR) continue;
      fail(EXIT_INPUT, "%s cannot be read: %s", path, strerror(errno));
    }
    if (got == 0) break;
    done += (size_t)got;
  }
  return done;
}

char *read_text(const char *path, size_t limit, size_t *length) {
  uint64_t size;
  int file = open_input(path, &size);
  if (size > limit) {
    fail(EXIT_INPUT, "%s has %llu bytes; at most %zu are read", path, (unsigned long long)size,
         limit);
  }
  char *text = obtain((size_t)size + 1, 1, path);
  *length = read_some(file, text, (size_t)size, path);
  close(file);
  return text;
}

void write_file(const char *path, const void *bytes, size_t length) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) fail(EXIT_OUTPUT, "%s cannot be opened for writing: %s", path, strerror(errno));
  size_t done = 0;
  while (done < length) {
    ssize_t put = write(file, (const char *)bytes + done, length - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail(EXIT_OUTPUT, "%s cannot be written: %s", path, strerror(errno));
    done += (size_t)put;
  }
  if (close(file) != 0) fail(EXIT_OUTPUT, "%s cannot be closed: %s", path, strerror(errno));
}
