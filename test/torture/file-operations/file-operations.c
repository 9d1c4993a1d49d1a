/*
 * Stands between a program and the C library (LD_PRELOAD) and sees every file operation below one directory:
 * writes each that changes something into a log, kills the program before or after the n-th, or lets it fail.
 *
 *   FILE_OPERATIONS_BELOW  the directory
 *   FILE_OPERATIONS_LOG    where to write the log, from the start
 *   FILE_OPERATIONS_RULE   a rule from the start, as in a command
 *
 * The program itself gives commands by access(2) of names that cannot exist:
 *
 *   /file-operations/record/LOG             begins a log
 *   /file-operations/mark/TEXT              writes a line of its own into the log
 *   /file-operations/rule/ACTION/CLASS/N/ERRNO   from now on; counts from 1; CLASS is change or look
 *   /file-operations/fired                  succeeds when the rule has come to pass
 *   /file-operations/reached                succeeds when there were as many operations as it counts to
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum kind {
  LOOK = 1,
  READ = 2,
  CREATE = 4,
  WRITE = 8,
  SYNC = 16,
  NAME = 32,
  REMOVE = 64,
  ATTRIBUTE = 128,
  TRUNCATE = 256,
  OPENS = 512,
};

enum action { NONE, KILL_BEFORE, KILL_AFTER, FAIL, FAIL_FROM, SHORT };
static const char *const actions[] = {"none", "kill-before", "kill-after", "fail", "fail-from", "short"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char below[4096];
static int log_fd = -1;
static enum action action = NONE;
static bool counts_looks;
static long at;
static long count;
static int error_given;
static bool fired;
/* Descriptors of files below the directory */
static unsigned char followed[65536];

/* Which operations a failure of this kind meets. */
static int met_by(int error) {
  switch (error) {
  case ENOSPC:
    return CREATE | WRITE | SYNC | NAME;
  case EROFS:
    return CREATE | WRITE | NAME | REMOVE | ATTRIBUTE | TRUNCATE;
  case EMFILE:
    return OPENS;
  case EACCES:
    return LOOK | CREATE | NAME | REMOVE | ATTRIBUTE;
  default:
    return ~0;
  }
}

static bool is_below(const char *path) {
  size_t length = strlen(below);
  if (length == 0 || path == NULL || strncmp(path, below, length) != 0) return false;
  return path[length] == '/' || path[length] == '\0';
}

static bool is_followed(int fd) {
  return fd >= 0 && fd < (int)sizeof followed && followed[fd] != 0;
}

static void set_rule(const char *text) {
  char name[32] = "";
  char class[16] = "";
  long n = 0;
  int error = 0;
  sscanf(text, "%31[^/]/%15[^/]/%ld/%d", name, class, &n, &error);
  action = NONE;
  for (size_t one = 0; one < sizeof actions / sizeof *actions; one += 1)
    if (strcmp(name, actions[one]) == 0) action = (enum action)one;
  counts_looks = strcmp(class, "look") == 0;
  at = n;
  count = 0;
  error_given = error;
  fired = false;
}

static void begin_log(const char *path) {
  if (log_fd >= 0) syscall(SYS_close, log_fd);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  /* Out of the way of a program that counts its descriptors */
  log_fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, fd);
}

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("FILE_OPERATIONS_BELOW");
  const char *log = getenv("FILE_OPERATIONS_LOG");
  const char *rule = getenv("FILE_OPERATIONS_RULE");
  if (directory) snprintf(below, sizeof below, "%s", directory);
  if (log) begin_log(log);
  if (rule) set_rule(rule);
}

static void say(const char *format, ...) {
  char line[3 * 4096];
  va_list rest;
  if (log_fd < 0) return;
  va_start(rest, format);
  int length = vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  if (length > 0) syscall(SYS_write, log_fd, line, (size_t)length);
}

static void say_data(ino_t inode, long long from, const char *bytes, size_t size) {
  if (log_fd < 0) return;
  char *line = malloc(2 * size + 100);
  if (!line) abort();
  int length = sprintf(line, "write\t%llu\t%lld\t", (unsigned long long)inode, from);
  for (size_t one = 0; one < size; one += 1)
    length += sprintf(line + length, "%02x", (unsigned char)bytes[one]);
  line[length] = '\n';
  syscall(SYS_write, log_fd, line, (size_t)length + 1);
  free(line);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/* With the lock held. Returns the error that the operation must end with, or 0; -1 for a write of one half. */
static int enter(int kind) {
  bool is_look = (kind & (LOOK | READ)) != 0;
  bool is_met = (kind & met_by(error_given)) != 0;
  if (fired && (action == FAIL_FROM || action == SHORT)) return is_met ? error_given : 0;
  if (action == NONE || is_look != counts_looks) return 0;
  count += 1;
  if (count != at) return 0;
  if (action == KILL_BEFORE) die();
  if (action == KILL_AFTER) return 0;
  if (!is_met) {
    /* What this failure cannot meet is met at the next operation that it can */
    if (action != FAIL) at += 1;
    return 0;
  }
  fired = true;
  return action == SHORT && (kind & WRITE) ? -1 : error_given;
}

static void leave(int kind) {
  bool is_look = (kind & (LOOK | READ)) != 0;
  if (action == KILL_AFTER && is_look == counts_looks && count == at) die();
}

static struct stat stat_at(const char *path) {
  struct stat found = {0};
  syscall(SYS_newfstatat, AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW);
  return found;
}

/* 0 where there is nothing. */
static ino_t inode_of(const char *path) { return stat_at(path).st_ino; }

static struct stat stat_of(int fd) {
  struct stat found = {0};
  syscall(SYS_newfstatat, fd, "", &found, AT_EMPTY_PATH);
  return found;
}

#define REFUSE(error, failed)                                                                                \
  do {                                                                                                       \
    int given_ = (error);                                                                                    \
    if (given_ > 0) {                                                                                        \
      pthread_mutex_unlock(&lock);                                                                           \
      errno = given_;                                                                                        \
      return failed;                                                                                         \
    }                                                                                                        \
  } while (0)

/* One operation: counted, done, told of where it succeeded. */
#define OPERATION(kind, call, ...)                                                                           \
  do {                                                                                                       \
    pthread_mutex_lock(&lock);                                                                               \
    REFUSE(enter(kind), -1);                                                                                 \
    int done_ = (int)(call);                                                                                 \
    int error_ = errno;                                                                                      \
    if (done_ >= 0) say(__VA_ARGS__);                                                                        \
    leave(kind);                                                                                             \
    pthread_mutex_unlock(&lock);                                                                             \
    errno = error_;                                                                                          \
    return done_;                                                                                            \
  } while (0)

int open64(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  if (!is_below(path)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  pthread_mutex_lock(&lock);
  int kind = OPENS | (flags & O_CREAT ? CREATE : flags & (O_WRONLY | O_RDWR | O_TRUNC) ? WRITE : LOOK);
  REFUSE(enter(kind & OPENS && kind & WRITE ? OPENS | CREATE : kind), -1);
  bool was_there = inode_of(path) != 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  int error = errno;
  if (fd >= 0 && fd < (int)sizeof followed) {
    followed[fd] = 1;
    struct stat found = stat_of(fd);
    unsigned long long inode = found.st_ino;
    if (!was_there) say("create\t%s\t%llu\t%o\n", path, inode, found.st_mode & 07777);
    else if (flags & O_TRUNC) say("truncate\t%llu\t0\n", inode);
  }
  leave(kind);
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));

int close(int fd) {
  if (fd >= 0 && fd < (int)sizeof followed) followed[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

static ssize_t write_followed(int fd, const char *bytes, size_t size, long long offset) {
  pthread_mutex_lock(&lock);
  int verdict = enter(WRITE);
  REFUSE(verdict, -1);
  size_t half = verdict < 0 ? size / 2 : size;
  struct stat found = stat_of(fd);
  bool appends = (syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) != 0;
  long long from = offset >= 0 ? offset : appends ? found.st_size : syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t done = offset >= 0 ? syscall(SYS_pwrite64, fd, bytes, half, offset) : syscall(SYS_write, fd, bytes, half);
  int error = errno;
  if (done > 0) say_data(found.st_ino, from, bytes, (size_t)done);
  leave(WRITE);
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  return is_followed(fd) ? write_followed(fd, bytes, size, -1) : syscall(SYS_write, fd, bytes, size);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  return is_followed(fd) ? write_followed(fd, bytes, size, offset) : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

/* What the harness has no model of must not go by unseen. */
static void refuse_unknown(const char *what) {
  fprintf(stderr, "file-operations: %s is not followed\n", what);
  abort();
}

ssize_t writev(int fd, const struct iovec *parts, int number) {
  if (is_followed(fd)) refuse_unknown("writev");
  return syscall(SYS_writev, fd, parts, number);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t offset) {
  if (is_followed(fd)) refuse_unknown("pwritev");
  return NEXT(pwritev64)(fd, parts, number, offset);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
  if (is_followed(to)) refuse_unknown("sendfile");
  return syscall(SYS_sendfile, to, from, offset, size);
}

ssize_t read(int fd, void *bytes, size_t size) {
  if (!is_followed(fd)) return syscall(SYS_read, fd, bytes, size);
  OPERATION(READ, syscall(SYS_read, fd, bytes, size), "%s", "");
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
  if (!is_followed(fd)) return syscall(SYS_pread64, fd, bytes, size, offset);
  OPERATION(READ, syscall(SYS_pread64, fd, bytes, size, offset), "%s", "");
}

static int sync_followed(int fd) {
  struct stat found = stat_of(fd);
  pthread_mutex_lock(&lock);
  int given = enter(SYNC);
  /* A sync that failed may have thrown away what it was to keep */
  if (given == EIO && S_ISREG(found.st_mode)) syscall(SYS_ftruncate, fd, 0);
  REFUSE(given, -1);
  say("sync\t%llu\n", (unsigned long long)found.st_ino);
  leave(SYNC);
  pthread_mutex_unlock(&lock);
  return 0;
}

int fsync(int fd) { return is_followed(fd) ? sync_followed(fd) : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return is_followed(fd) ? sync_followed(fd) : (int)syscall(SYS_fdatasync, fd); }

int ftruncate64(int fd, off64_t length) {
  if (!is_followed(fd)) return (int)syscall(SYS_ftruncate, fd, length);
  unsigned long long inode = stat_of(fd).st_ino;
  OPERATION(TRUNCATE, syscall(SYS_ftruncate, fd, length), "truncate\t%llu\t%lld\n", inode, (long long)length);
}

int rename(const char *from, const char *to) {
  if (!is_below(from) && !is_below(to)) return (int)syscall(SYS_rename, from, to);
  OPERATION(NAME, syscall(SYS_rename, from, to), "rename\t%s\t%s\n", from, to);
}

int link(const char *from, const char *to) {
  if (!is_below(to)) return (int)syscall(SYS_link, from, to);
  OPERATION(CREATE, syscall(SYS_link, from, to), "link\t%s\t%s\n", from, to);
}

int symlink(const char *target, const char *path) {
  if (!is_below(path)) return (int)syscall(SYS_symlink, target, path);
  OPERATION(CREATE, syscall(SYS_symlink, target, path), "symlink\t%s\t%s\n", target, path);
}

int unlink(const char *path) {
  if (!is_below(path)) return (int)syscall(SYS_unlink, path);
  OPERATION(REMOVE, syscall(SYS_unlink, path), "unlink\t%s\n", path);
}

int rmdir(const char *path) {
  if (!is_below(path)) return (int)syscall(SYS_rmdir, path);
  OPERATION(REMOVE, syscall(SYS_rmdir, path), "rmdir\t%s\n", path);
}

int mkdir(const char *path, mode_t mode) {
  if (!is_below(path)) return (int)syscall(SYS_mkdir, path, mode);
  OPERATION(CREATE, syscall(SYS_mkdir, path, mode), "mkdir\t%s\t%llu\t%o\n", path,
            (unsigned long long)inode_of(path), stat_at(path).st_mode & 07777);
}

int fchmod(int fd, mode_t mode) {
  if (!is_followed(fd)) return (int)syscall(SYS_fchmod, fd, mode);
  unsigned long long inode = stat_of(fd).st_ino;
  OPERATION(ATTRIBUTE, syscall(SYS_fchmod, fd, mode), "mode\t%llu\t%o\n", inode, mode);
}

int chmod(const char *path, mode_t mode) {
  if (!is_below(path)) return (int)syscall(SYS_chmod, path, mode);
  unsigned long long inode = inode_of(path);
  OPERATION(ATTRIBUTE, syscall(SYS_chmod, path, mode), "mode\t%llu\t%o\n", inode, mode);
}

int fchown(int fd, uid_t user, gid_t group) {
  if (!is_followed(fd)) return (int)syscall(SYS_fchown, fd, user, group);
  OPERATION(ATTRIBUTE, syscall(SYS_fchown, fd, user, group), "%s", "");
}

int scandir64(const char *path, struct dirent64 ***list, int (*wanted)(const struct dirent64 *),
              int (*order)(const struct dirent64 **, const struct dirent64 **)) {
  if (!is_below(path)) return NEXT(scandir64)(path, list, wanted, order);
  OPERATION(LOOK | OPENS, NEXT(scandir64)(path, list, wanted, order), "%s", "");
}

ssize_t readlink(const char *path, char *target, size_t size) {
  if (!is_below(path)) return syscall(SYS_readlink, path, target, size);
  OPERATION(LOOK, syscall(SYS_readlink, path, target, size), "%s", "");
}

/* libuv asks for statx, close and copy_file_range this way. */
long syscall(long number, ...) {
  static __typeof__(&syscall) next;
  va_list rest;
  long a[6];
  va_start(rest, number);
  for (int one = 0; one < 6; one += 1) a[one] = va_arg(rest, long);
  va_end(rest);
  if (!next) next = NEXT(syscall);
  if (number == SYS_close && is_followed((int)a[0])) followed[a[0]] = 0;
  if (number == SYS_copy_file_range && is_followed((int)a[2])) refuse_unknown("copy_file_range");
  if (number != SYS_statx || !is_below((const char *)a[1]) || ((const char *)a[1])[0] == '\0')
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  OPERATION(LOOK, next(number, a[0], a[1], a[2], a[3], a[4], a[5]), "%s", "");
}

int access(const char *path, int mode) {
  static const char prefix[] = "/file-operations/";
  if (strncmp(path, prefix, sizeof prefix - 1) != 0)
    return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
  const char *command = path + sizeof prefix - 1;
  pthread_mutex_lock(&lock);
  bool yes = true;
  if (strncmp(command, "record/", 7) == 0) begin_log(command + 7);
  else if (strncmp(command, "mark/", 5) == 0) say("mark\t%s\n", command + 5);
  else if (strncmp(command, "rule/", 5) == 0) set_rule(command + 5);
  else if (strcmp(command, "reached") == 0) yes = count >= at;
  else yes = strcmp(command, "fired") == 0 && fired;
  pthread_mutex_unlock(&lock);
  if (!yes) errno = ENOENT;
  return yes ? 0 : -1;
}
