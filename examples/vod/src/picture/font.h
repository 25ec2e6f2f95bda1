// A small bitmap font for the printable ASCII characters.
#pragma once

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9, FONT_ADVANCE = 6 };

// FONT_HEIGHT rows of FONT_WIDTH bits, the leftmost in bit 4; a box for what the font lacks.
const unsigned char *font_glyph(char character);
