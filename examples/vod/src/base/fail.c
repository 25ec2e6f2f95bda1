// The one way out on errors. Nothing secret is ever part of a message: no key, no plaintext byte.
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(enum exit_code code, const char *format, ...) {
  va_list arguments;
  fflush(stdout);
  fputs("detector: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  fflush(stderr);
  exit(code);
}
