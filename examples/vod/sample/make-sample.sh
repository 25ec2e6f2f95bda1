#!/usr/bin/env bash
# Makes faces.h264: 12 frames of 1280x720, H.264 constrained baseline, out of public-domain
# and CC0 pictures in Debian's python3-skimage. Usage: make-sample.sh PICTURES OUTPUT
# PICTURES is the package's skimage/data directory (README.md says how to get it without installing the package).
set -euo pipefail
pictures=$1
output=$2

# Three frames of each scene; n is the frame's number within its scene, so that every frame differs.
ffmpeg -nostdin -v error -y \
  -loop 1 -framerate 4 -t 0.75 -i "$pictures/astronaut.png" \
  -loop 1 -framerate 4 -t 0.75 -i "$pictures/chelsea.png" \
  -loop 1 -framerate 4 -t 0.75 -i "$pictures/camera.png" \
  -loop 1 -framerate 4 -t 0.75 -i "$pictures/coffee.png" \
  -filter_complex "
    [0:v] split [woman][again];
    [woman] crop=480:270:x='16*n':y='6+8*n', scale=1280:720:flags=bicubic [one];
    [1:v] crop=432:243:x='8*n':y='20+12*n', scale=1280:720:flags=bicubic [two];
    [2:v] format=rgb24, crop=420:420:x='28+8*n':y='10+4*n', scale=640:640:flags=bicubic,
          pad=640:720:0:40:color=0x202020 [left];
    [again] crop=340:340:x='70-10*n':y='4*n', hflip, scale=640:640:flags=bicubic,
          pad=640:720:0:40:color=0x202020 [right];
    [left][right] hstack [three];
    [3:v] crop=560:315:x='16*n':y='30+16*n', scale=1280:720:flags=bicubic [four];
    [one][two][three][four] concat=n=4:v=1, format=yuv420p
  " \
  -c:v libx264 -profile:v baseline -preset veryslow -refs 1 -crf 25 -g 12 -threads 1 -bf 0 \
  -bsf:v 'filter_units=remove_types=6' -flags +bitexact -f h264 "$output"
