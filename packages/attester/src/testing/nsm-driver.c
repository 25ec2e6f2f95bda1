// Plays the driver of the Nitro Security Module for one process, loaded before the C library: what linux/nsm.h says of
// NSM_IOCTL_RAW is checked, the request is kept in a file, the answer comes from another.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct iovec_of_nsm {
  uint64_t address;
  uint64_t length;
};
struct message_of_nsm {
  struct iovec_of_nsm request;
  struct iovec_of_nsm response;
};

#define RAW 0xC0200A00ul
#define MOST_REQUEST 0x1000u
#define MOST_RESPONSE 0x3000u

static int is_device(int descriptor) {
  char link[64] = "/proc/self/fd/", digits[16], target[4096];
  const char *device = getenv("DRIVER_DEVICE");
  int at = 0, value = descriptor;
  do {
    digits[at++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  size_t end = strlen(link);
  while (at > 0) link[end++] = digits[--at];
  link[end] = 0;
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 0 || device == NULL) return 0;
  target[length] = 0;
  return strcmp(target, device) == 0;
}

static int fail(int with) {
  errno = with;
  return -1;
}

static int keep(const char *file, const void *bytes, size_t length) {
  int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out < 0) return -1;
  ssize_t written = write(out, bytes, length);
  close(out);
  return written == (ssize_t)length ? 0 : -1;
}

int ioctl(int descriptor, unsigned long code, ...) {
  va_list rest;
  va_start(rest, code);
  struct message_of_nsm *message = va_arg(rest, struct message_of_nsm *);
  va_end(rest);
  if (!is_device(descriptor)) return (int)syscall(SYS_ioctl, descriptor, code, message);
  if (code != RAW) return fail(ENOTTY);
  const char *fault = getenv("DRIVER_FAULT");
  if (fault == NULL) fault = "";
  if (strcmp(fault, "failing") == 0) return fail(EIO);
  if (strcmp(fault, "too large") == 0) return fail(EMSGSIZE);
  if (strcmp(fault, "dying") == 0) _exit(7);
  if (strcmp(fault, "silent") == 0) for (;;) pause();
  if (message->request.length == 0 || message->request.length > MOST_REQUEST) return fail(EMSGSIZE);
  if (message->response.length != MOST_RESPONSE) return fail(EINVAL);
  if (keep(getenv("DRIVER_REQUEST"), (void *)message->request.address, message->request.length) < 0)
    return fail(EFAULT);
  int in = open(getenv("DRIVER_ANSWER"), O_RDONLY);
  if (in < 0) return fail(EIO);
  ssize_t length = read(in, (void *)message->response.address, MOST_RESPONSE);
  close(in);
  message->response.length = strcmp(fault, "oversize") == 0 ? MOST_RESPONSE + 1u
                             : strcmp(fault, "empty") == 0  ? 0u
                                                            : (uint64_t)length;
  return 0;
}
