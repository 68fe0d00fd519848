// Files, their owners and modes, as libc hides them: macros with casts, variadics.
// Header only; one fixed-arity function per call, named mb_…, nothing else. No _GNU_SOURCE: it would give this module other
// definitions of the same types than Swift's Glibc module has.
#pragma once
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static inline int mb_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
// Past the page cache.
static inline int mb_open_direct(const char *path, int flags) { return open(path, flags | __O_DIRECT); }
static inline int mb_openat(int dir, const char *path, int flags, mode_t mode) {
  return openat(dir, path, flags, mode);
}
static inline int mb_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }
static inline int mb_s_isreg(mode_t mode) { return S_ISREG(mode); }
static inline int mb_s_isdir(mode_t mode) { return S_ISDIR(mode); }
static inline int mb_s_isblk(mode_t mode) { return S_ISBLK(mode); }
static inline unsigned mb_major(dev_t device) { return major(device); }
static inline unsigned mb_minor(dev_t device) { return minor(device); }
static inline int mb_pipe_cloexec(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }
static inline int mb_syncfs(int fd) { return (int)syscall(SYS_syncfs, fd); }
static inline int mb_memfd_create(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }

// The device that the file at `path` lies on; never asks a server for it. Not glibc's statx: that needs _GNU_SOURCE.
static inline int mb_device_of(const char *path, unsigned *major, unsigned *minor) {
  struct statx information;
  if (syscall(SYS_statx, AT_FDCWD, path, 0x4000 /* AT_STATX_DONT_SYNC */, STATX_TYPE, &information) != 0) return -1;
  *major = information.stx_dev_major;
  *minor = information.stx_dev_minor;
  return 0;
}

// The device that a block device's own file stands for; -1 for any other file.
static inline int mb_block_device_of(const char *path, unsigned *major, unsigned *minor) {
  struct statx information;
  if (syscall(SYS_statx, AT_FDCWD, path, 0x4000 /* AT_STATX_DONT_SYNC */, STATX_TYPE, &information) != 0) return -1;
  if (!S_ISBLK(information.stx_mode)) return -1;
  *major = information.stx_rdev_major;
  *minor = information.stx_rdev_minor;
  return 0;
}

// The type of an open file, as in st_mode; never asks a server for it. -1 with errno.
static inline int mb_type_of(int fd) {
  struct statx information;
  if (syscall(SYS_statx, fd, "", 0x1000 /* AT_EMPTY_PATH */ | 0x4000 /* AT_STATX_DONT_SYNC */, STATX_TYPE, &information) != 0)
    return -1;
  return information.stx_mode & S_IFMT;
}

// linux/fs.h cannot be included beside glibc's own headers: its FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_IMMUTABLE_FL.
static const int mb_flag_immutable = 0x10;
static inline int mb_get_inode_flags(int fd, int *flags) { return ioctl(fd, _IOR('f', 1, long), flags); }
static inline int mb_set_inode_flags(int fd, int flags) { return ioctl(fd, _IOW('f', 2, long), &flags); }
