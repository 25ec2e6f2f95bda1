// Where things lie: the function's policy grants rights on exactly these paths.
#pragma once

#define VIDEO_PATH "/s3_app_input/in_enc.h264"
#define KEY_PATH "/user_input/key"
#define IV_PATH "/user_input/iv"
#define LABELS_PATH "/program_data/coco.names"
#define NETWORK_PATH "/program_data/yolov3.cfg"
#define WEIGHTS_PATH "/program_data/yolov3.weights"
#define OUTPUT_DIRECTORY "/output"
