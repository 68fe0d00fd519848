import Foundation

/// A library that ends a program with SIGKILL in front of its Nth change to a file, as a crash or a power cut would.
struct CrashShim {
  let path: String

  /// Counts pwrite, ftruncate, fsync, unlink and the making of files. With `MAILCFG_LOSE=1` what was written and not yet synced is gone
  /// afterwards, as after a power cut.
  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>

    struct undo { int fd; off_t offset, size; size_t length; char *old; struct undo *next; };
    static struct undo *undos;
    static long calls;

    static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
    static int (*real_ftruncate)(int, off_t);

    static void lose(void) {
      real_pwrite = dlsym(RTLD_NEXT, "pwrite");
      real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
      for (struct undo *u = undos; u; u = u->next) {
        if (u->length) real_pwrite(u->fd, u->old, u->length, u->offset);
        real_ftruncate(u->fd, u->size);
      }
    }

    static void count(void) {
      const char *at = getenv("MAILCFG_KILL_AT");
      if (++calls == (at ? atol(at) : 0)) {
        if (getenv("MAILCFG_LOSE")) lose();
        kill(getpid(), SIGKILL);
        pause();
      }
      const char *file = getenv("MAILCFG_CALLS");
      if (file) {
        FILE *stream = fopen(file, "w");
        if (stream) { fprintf(stream, "%ld", calls); fclose(stream); }
      }
    }

    /* What is at the place now, before it changes. */
    static void remember(int fd, off_t offset, size_t length) {
      struct stat status;
      if (!getenv("MAILCFG_LOSE") || fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
      struct undo *u = calloc(1, sizeof *u);
      u->fd = fd; u->offset = offset; u->size = status.st_size; u->next = undos;
      u->old = malloc(length + 1);
      ssize_t got = length ? pread(fd, u->old, length, offset) : 0;
      u->length = got > 0 ? got : 0;
      undos = u;
    }

    static void forget(int fd) {
      for (struct undo **u = &undos; *u;) {
        if ((*u)->fd == fd) { struct undo *gone = *u; *u = gone->next; free(gone->old); free(gone); } else u = &(*u)->next;
      }
    }

    ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
      count();
      remember(fd, offset, length);
      real_pwrite = dlsym(RTLD_NEXT, "pwrite");
      return real_pwrite(fd, bytes, length, offset);
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

    int ftruncate(int fd, off_t size) {
      count();
      struct stat status;
      if (!fstat(fd, &status)) remember(fd, size, status.st_size > size ? status.st_size - size : 0);
      real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
      return real_ftruncate(fd, size);
    }
    int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

    int fsync(int fd) {
      count();
      forget(fd);
      int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
      return real(fd);
    }
    int fdatasync(int fd) {
      count();
      forget(fd);
      int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
      return real(fd);
    }

    int unlink(const char *path) {
      count();
      int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
      return real(path);
    }

    int close(int fd) {
      forget(fd);
      int (*real)(int) = dlsym(RTLD_NEXT, "close");
      return real(fd);
    }

    static int opened(const char *name, const char *path, int flags, va_list list) {
      mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
      if (flags & O_CREAT) count();
      int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
      return real(path, flags, mode);
    }
    int open(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); int fd = opened("open", path, flags, list); va_end(list); return fd;
    }
    int open64(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); int fd = opened("open64", path, flags, list); va_end(list); return fd;
    }
    """#

  init(in directory: String) throws {
    path = directory + "/crash.so"
    let file = directory + "/crash.c"
    try Self.source.write(toFile: file, atomically: true, encoding: .utf8)
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
    compiler.arguments = ["-shared", "-fPIC", "-O1", "-w", "-o", path, file, "-ldl"]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
  }
}
