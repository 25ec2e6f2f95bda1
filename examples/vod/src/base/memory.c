// Checked allocation.
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static size_t product(size_t count, size_t size, const char *what_for) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    fail(EXIT_MEMORY, "out of memory: %s is larger than a 32-bit program can hold", what_for);
  }
  return bytes == 0 ? 1 : bytes;
}

static void *checked(void *block, size_t bytes, const char *what_for) {
  if (block == NULL) {
    fail(EXIT_MEMORY,
         "out of memory: %zu KiB for %s could not be had; the policy's max_memory_mib is too small",
         (bytes + 1023) / 1024, what_for);
  }
  return block;
}

void *obtain_raw(size_t count, size_t size, const char *what_for) {
  size_t bytes = product(count, size, what_for);
  return checked(malloc(bytes), bytes, what_for);
}

void *obtain(size_t count, size_t size, const char *what_for) {
  size_t bytes = product(count, size, what_for);
  return checked(calloc(1, bytes), bytes, what_for);
}

void *enlarge(void *block, size_t count, size_t size, const char *what_for) {
  size_t bytes = product(count, size, what_for);
  return checked(realloc(block, bytes), bytes, what_for);
}
