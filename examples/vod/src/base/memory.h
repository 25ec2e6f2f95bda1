// Memory that is there or ends the program: in WebAssembly address 0 is writable, so a NULL that
// nobody looked at would not trap but corrupt.
#pragma once

#include <stddef.h>

// `count` zeroed elements of `size` bytes, aligned for SIMD; ends the program with EXIT_MEMORY.
void *obtain(size_t count, size_t size, const char *what_for);

// Like obtain, without zeroing.
void *obtain_raw(size_t count, size_t size, const char *what_for);

// Makes `block` hold `count` elements, keeping what it holds.
void *enlarge(void *block, size_t count, size_t size, const char *what_for);
