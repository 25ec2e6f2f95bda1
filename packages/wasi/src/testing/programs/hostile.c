// What a hostile program tries, and what it is told: a line each.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name(int result) {
  if (result >= 0) return "allowed";
  switch (errno) {
    case EINVAL: return "EINVAL";
    case ELOOP: return "ELOOP";
    case ENOTCAPABLE: return "ENOTCAPABLE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENOSPC: return "ENOSPC";
    case ENOTEMPTY: return "ENOTEMPTY";
    case EMFILE: return "EMFILE";
    case EBADF: return "EBADF";
    default: return strerror(errno);
  }
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write(fd, text, strlen(text));
  close(fd);
}

static void show(const char *what, int fd) {
  char text[16] = {0};
  pread(fd, text, sizeof text - 1, 0);
  printf("%s: %s\n", what, text);
}

int main(void) {
  mkdir("a", 0700);
  mkdir("a/b", 0700);
  printf("rename into itself: %s\n", name(rename("a", "a/b/c")));
  symlink("two", "one");
  symlink("one", "two");
  printf("loop: %s\n", name(open("one", O_RDONLY)));
  printf("absolute link: %s\n", name(symlink("/etc/passwd", "passwd")));
  printf("out of the root: %s\n", name(open("../../etc/passwd", O_RDONLY)));
  char *path = malloc(5001);
  memset(path, 'x', 5000);
  path[5000] = 0;
  printf("too long: %s\n", name(open(path, O_WRONLY | O_CREAT, 0600)));
  put("file", "text");
  int reader = open("file", O_RDONLY);
  printf("seek below zero: %s\n", name((int)lseek(reader, -1, SEEK_SET)));
  printf("write to a reader: %s\n", name((int)write(reader, "x", 1)));
  int writer = open("file", O_RDWR);
  printf("truncate to terabytes: %s\n", name(ftruncate(writer, 1LL << 42)));
  printf("remove what is full: %s\n", name(rmdir("a")));
  int last = 0;
  char each[16];
  for (int i = 0; last >= 0; i++) {
    snprintf(each, sizeof each, "f%d", i);
    last = open(each, O_WRONLY | O_CREAT, 0600);
  }
  printf("open everything: %s\n", name(last));
  close(writer);
  close(10);
  put("kept", "kept");
  int kept = open("kept", O_RDONLY);
  unlink("kept");
  show("unlinked lives", kept);
  close(kept);
  put("old", "old");
  put("new", "new");
  int old = open("old", O_RDONLY);
  rename("new", "old");
  show("renamed over lives", old);
  void *all = malloc(1);
  size_t size = 1 << 20;
  while (all != NULL) all = malloc(size);
  printf("map everything: %s\n", errno == ENOMEM ? "ENOMEM" : "something else");
  return 0;
}
