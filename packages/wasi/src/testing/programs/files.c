// What C programs do with files, through wasi-libc: absolute and relative paths, append, directories, names, links, sizes.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *mode, const char *text) {
  FILE *file = fopen(path, mode);
  if (file == NULL) {
    printf("open %s: %s\n", path, strerror(errno));
    return;
  }
  fputs(text, file);
  if (fclose(file) != 0) printf("close %s: %s\n", path, strerror(errno));
}

static void show(const char *path) {
  char text[256] = {0};
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    printf("%s: %s\n", path, strerror(errno));
    return;
  }
  size_t count = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  printf("%s: %zu %s\n", path, count, text);
}

static void list(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) {
    printf("list %s: %s\n", path, strerror(errno));
    return;
  }
  printf("%s:", path);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) printf(" %s", entry->d_name);
  printf("\n");
  closedir(directory);
}

static void tell(const char *what, int result) {
  printf("%s: %s\n", what, result == 0 ? "ok" : strerror(errno));
}

int main(int argc, char **argv) {
  struct stat status;
  char target[64] = {0};
  printf("%d %s %s\n", argc, argc > 1 ? argv[1] : "-", getenv("NAME"));
  show("/input/a.txt");
  show("input/a.txt");
  show("./input/a.txt");
  show("/input/none");
  put("/input/b.txt", "w", "no");
  put("/output/one", "w", "first");
  put("output/one", "a", " second");
  show("/output/one");
  show("/other/secret");
  show("/output/../other/secret");
  tell("mkdir", mkdir("/output/d", 0700));
  put("/output/d/x", "w", "x");
  tell("rename", rename("/output/d/x", "/output/d/y"));
  tell("link", link("/output/d/y", "/output/d/z"));
  tell("symlink", symlink("d/y", "/output/s"));
  printf("readlink %zd %s\n", readlink("/output/s", target, sizeof target - 1), target);
  show("/output/s");
  list("/output");
  list("/output/d");
  list("/");
  tell("rmdir", rmdir("/output/d"));
  tell("unlink", unlink("/output/d/z"));
  tell("truncate", truncate("/output/one", 3));
  show("/output/one");
  tell("stat", stat("/output/one", &status));
  printf("size %lld file %d\n", (long long)status.st_size, S_ISREG(status.st_mode));
  int fd = open("/output/one", O_RDWR);
  printf("seek %lld\n", (long long)lseek(fd, 100, SEEK_END));
  printf("write %zd\n", write(fd, "end", 3));
  tell("fstat", fstat(fd, &status));
  printf("size %lld terminal %d %d\n", (long long)status.st_size, isatty(fd), isatty(1));
  close(fd);
  printf("stdin %s\n", fgets(target, sizeof target, stdin));
  fprintf(stderr, "to stderr\n");
  return 3;
}
