import Foundation

/// A library that sends its own process a signal in front of its Nth change to a file.
struct SignalShim {
  let path: String

  /// `MAILCFG_SIGNAL` at change number `MAILCFG_AT`; `MAILCFG_CALLS` names a file for their number.
  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
    static long calls;
    /* As a shell in the foreground would have it; a test runner's threads block signals, and may ignore some. */
    __attribute__((constructor)) static void begin(void) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, NULL);
      if (getenv("MAILCFG_KEEP")) return;
      signal(SIGINT, SIG_DFL); signal(SIGTERM, SIG_DFL); signal(SIGHUP, SIG_DFL); signal(SIGQUIT, SIG_DFL);
    }
    static void count(void) {
      const char *at = getenv("MAILCFG_AT"), *file = getenv("MAILCFG_CALLS");
      if (++calls == (at ? atol(at) : 0)) kill(getpid(), atoi(getenv("MAILCFG_SIGNAL")));
      if (file) { FILE *stream = fopen(file, "w"); fprintf(stream, "%ld", calls); fclose(stream); }
    }
    ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { count(); return REAL(pwrite)(fd, bytes, length, offset); }
    ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }
    int ftruncate(int fd, off_t size) { count(); return REAL(ftruncate)(fd, size); }
    int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
    int fsync(int fd) { count(); return REAL(fsync)(fd); }
    int fdatasync(int fd) { count(); return REAL(fdatasync)(fd); }
    int unlink(const char *path) { count(); return REAL(unlink)(path); }
    """#

  init(in directory: String) throws {
    path = try compiledShim(Self.source, named: "signal", in: directory)
  }
}
