// What Swift cannot see of libc and the kernel: macros with casts, variadics, calls that Glibc's module map hides.
// Header only; one fixed-arity function per call, named mb_…, nothing else.
#pragma once
// No _GNU_SOURCE: it would give this module other definitions of the same types than Swift's Glibc module has.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int mb_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int mb_openat(int dir, const char *path, int flags, mode_t mode) {
  return openat(dir, path, flags, mode);
}
static inline int mb_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }
static inline int mb_prctl_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int mb_prctl_set_pdeathsig(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
static inline int mb_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int mb_wifexited(int status) { return WIFEXITED(status); }
static inline int mb_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int mb_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int mb_wtermsig(int status) { return WTERMSIG(status); }
static inline int mb_s_isreg(mode_t mode) { return S_ISREG(mode); }
static inline int mb_s_isdir(mode_t mode) { return S_ISDIR(mode); }
static inline int mb_s_isblk(mode_t mode) { return S_ISBLK(mode); }
static inline unsigned mb_major(dev_t device) { return major(device); }
static inline unsigned mb_minor(dev_t device) { return minor(device); }
static inline int mb_mlock_dontdump(void *address, size_t length) {
  return madvise(address, length, MADV_DONTDUMP);
}

static inline int mb_pipe_cloexec(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }
static inline int mb_memfd_create(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }
// The resource constants and the type of setrlimit's first argument differ with and without _GNU_SOURCE.
static const int mb_rlimit_memlock = RLIMIT_MEMLOCK;
static const int mb_rlimit_core = RLIMIT_CORE;
static const int mb_rlimit_as = RLIMIT_AS;
static inline int mb_getrlimit(int resource, unsigned long long *soft, unsigned long long *hard) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return -1;
  *soft = limit.rlim_cur;
  *hard = limit.rlim_max;
  return 0;
}
static inline int mb_setrlimit(int resource, unsigned long long soft, unsigned long long hard) {
  struct rlimit limit = {soft, hard};
  return setrlimit(resource, &limit);
}
static inline int mb_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }

static inline int mb_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }
// The number of the next waiting signal; 0: none.
static inline int mb_next_signal(int descriptor) {
  struct signalfd_siginfo information;
  return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
}
static inline pid_t mb_fork(void) { return fork(); }

// linux/fs.h cannot be included beside glibc's own headers: its FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_IMMUTABLE_FL.
static const int mb_flag_immutable = 0x10;
static inline int mb_get_inode_flags(int fd, int *flags) { return ioctl(fd, _IOR('f', 1, long), flags); }
static inline int mb_set_inode_flags(int fd, int flags) { return ioctl(fd, _IOW('f', 2, long), &flags); }
// open_tree(2) with OPEN_TREE_CLONE: a copy of the mount that path lies in, without the mounts on top of it, attached nowhere.
static inline int mb_open_bare_tree(const char *path) {
  return (int)syscall(428 /* SYS_open_tree */, AT_FDCWD, path, 1u | O_CLOEXEC);
}
