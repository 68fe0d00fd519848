import Foundation

/// A library that ends a program with SIGKILL in front of its Nth change to a file, as a crash or a power cut would.
struct CrashShim {
  let path: String

  /// Counts pwrite, ftruncate, fsync, unlink, the making of files, and the end of the program.
  ///
  /// With `MAILCFG_SEED` it is a power cut: of what was not synced, any part may be on the disk. Each sector of 512 octets is the new one or
  /// the one of the last sync, at random (beyond the old end: or zeros), the length is the new or the old one, and a file may have been
  /// made or unlinked or not, as long as its directory was not synced.
  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <libgen.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>

    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

    /* A file with changes that were not synced: what the disk has for certain. The descriptor is never closed: that would drop locks. */
    struct file { ino_t inode; int fd; off_t size; char *durable; struct file *next; };
    /* A name that was made or taken away, and its directory not synced. `kept` is another name of what was unlinked. */
    struct name { char *path, *kept; struct name *next; };
    static struct file *files;
    static struct name *names;
    static long calls;
    static uint64_t state;

    static int is_power_cut(void) { return getenv("MAILCFG_SEED") != NULL; }

    static unsigned dice(unsigned sides) {
      state ^= state << 13; state ^= state >> 7; state ^= state << 17;
      return (state >> 11) % sides;
    }

    /* The whole of a file. */
    static char *contents(int fd, off_t *size) {
      struct stat status;
      if (fstat(fd, &status)) abort();
      *size = status.st_size;
      char *bytes = calloc(1, *size + 512);
      if (pread(fd, bytes, *size, 0) != *size) abort();
      return bytes;
    }

    static void cut_file(struct file *f) {
      off_t size;
      char *now = contents(f->fd, &size);
      off_t left = dice(2) ? size : f->size;
      for (off_t at = 0; at < left; at += 512) {
        size_t length = left - at < 512 ? left - at : 512;
        char sector[512] = {0};
        if (at < f->size && dice(2)) memcpy(sector, f->durable + at, length);
        else if (at < size && (at < f->size || dice(2))) memcpy(sector, now + at, length);
        if (REAL(pwrite)(f->fd, sector, length, at) != length) abort();
      }
      if (REAL(ftruncate)(f->fd, left)) abort();
    }

    static void cut_power(void) {
      state = atol(getenv("MAILCFG_SEED")) * 0x9E3779B97F4A7C15u + calls * 0xD1B54A32D192ED03u + 1;
      for (int i = 0; i < 8; i++) dice(2);
      for (struct file *f = files; f; f = f->next) cut_file(f);
      for (struct name *n = names; n; n = n->next) {
        if (dice(2)) continue;
        if (n->kept) rename(n->kept, n->path); else REAL(unlink)(n->path);
      }
    }

    static void count(void) {
      const char *at = getenv("MAILCFG_KILL_AT");
      if (++calls == (at ? atol(at) : 0)) {
        if (is_power_cut()) cut_power();
        kill(getpid(), SIGKILL);
        pause();
      }
      const char *file = getenv("MAILCFG_CALLS");
      if (file) {
        FILE *stream = fopen(file, "w");
        if (stream) { fprintf(stream, "%ld", calls); fclose(stream); }
      }
    }

    /* Before the first change since the last sync. */
    static void remember(int fd) {
      struct stat status;
      if (!is_power_cut() || fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
      for (struct file *f = files; f; f = f->next) if (f->inode == status.st_ino) return;
      struct file *f = calloc(1, sizeof *f);
      f->inode = status.st_ino; f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); f->durable = contents(fd, &f->size);
      f->next = files; files = f;
    }

    static void synced(int fd) {
      struct stat status;
      if (fstat(fd, &status)) return;
      if (S_ISDIR(status.st_mode)) { names = NULL; return; }
      for (struct file **f = &files; *f; f = &(*f)->next) if ((*f)->inode == status.st_ino) { *f = (*f)->next; return; }
    }

    static void renamed(const char *path, const char *kept) {
      struct name *n = calloc(1, sizeof *n);
      n->path = strdup(path); n->kept = kept ? strdup(kept) : NULL;
      n->next = names; names = n;
    }

    ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
      count(); remember(fd);
      return REAL(pwrite)(fd, bytes, length, offset);
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

    int ftruncate(int fd, off_t size) {
      count(); remember(fd);
      return REAL(ftruncate)(fd, size);
    }
    int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

    int fsync(int fd) { count(); synced(fd); return REAL(fsync)(fd); }
    int fdatasync(int fd) { count(); synced(fd); return REAL(fdatasync)(fd); }

    int unlink(const char *path) {
      count();
      char kept[4096];
      snprintf(kept, sizeof kept, "%s.unlinked", path);
      if (is_power_cut() && link(path, kept) == 0) renamed(path, kept);
      return REAL(unlink)(path);
    }

    static int opened(const char *name, const char *path, int flags, va_list list) {
      mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
      if (flags & O_CREAT) count();
      if (is_power_cut() && flags & O_CREAT && access(path, F_OK)) renamed(path, NULL);
      int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
      return real(path, flags, mode);
    }
    int open(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); int fd = opened("open", path, flags, list); va_end(list); return fd;
    }
    int open64(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); int fd = opened("open64", path, flags, list); va_end(list); return fd;
    }

    __attribute__((destructor)) static void end(void) { count(); }
    """#

  init(in directory: String) throws {
    path = try compiledShim(Self.source, named: "crash", in: directory)
  }
}
