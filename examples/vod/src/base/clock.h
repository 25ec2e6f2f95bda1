// Time for the report. A policy may switch the clock off: then every duration is 0.
#pragma once

#include <stdbool.h>

// Seconds on a clock that never runs backwards; 0 without a clock.
double now_seconds(void);

// Whether the host lets this program see a clock.
bool has_clock(void);
