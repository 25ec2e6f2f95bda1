// Whole files in and out. Reading is bounded by the caller, writing is all or an error.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Opens `path` for reading and tells its length; ends the program with EXIT_INPUT.
int open_input(const char *path, uint64_t *length);

// Reads up to `capacity` bytes; less only at the end of the file.
size_t read_some(int file, void *bytes, size_t capacity, const char *path);

// The whole of `path` with a NUL behind it; ends the program when it is longer than `limit`.
char *read_text(const char *path, size_t limit, size_t *length);

// Writes all bytes to `path`, which is made or replaced; ends the program with EXIT_OUTPUT.
void write_file(const char *path, const void *bytes, size_t length);
