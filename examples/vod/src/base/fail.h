// How the program ends when it cannot go on: one sentence on stderr and a permanent exit code.
#pragma once

// Exit codes are part of the program's contract (README.md).
enum exit_code {
  EXIT_USAGE = 2,        // a command-line argument is wrong
  EXIT_INPUT = 3,        // an input file is missing, unreadable or of the wrong length
  EXIT_MEMORY = 4,       // the memory the policy grants is used up
  EXIT_NOT_VIDEO = 5,    // what came out of decryption is no H.264 stream: wrong key, iv or file
  EXIT_UNSUPPORTED = 6,  // H.264, but of a kind this decoder does not know
  EXIT_DAMAGED = 7,      // H.264 that breaks off or is broken, or has no picture
  EXIT_NETWORK = 8,      // the network description is not one this engine runs
  EXIT_WEIGHTS = 9,      // the weights do not belong to the network, or are no numbers
  EXIT_LABELS = 10,      // the list of labels does not belong to the network
  EXIT_OUTPUT = 11,      // a result could not be written
};

// Prints "detector: " and the message on stderr, then ends the program with `code`.
_Noreturn void fail(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
