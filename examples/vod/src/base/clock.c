// The monotonic clock, if there is one.
#include "clock.h"

#include <time.h>

double now_seconds(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) return 0;
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

bool has_clock(void) {
  struct timespec time;
  return clock_gettime(CLOCK_MONOTONIC, &time) == 0;
}
