// What Swift cannot see of libc and the kernel: macros with casts, variadics, calls that Glibc's module map hides.
// Header only; one fixed-arity function per call, named mb_…, nothing else.
#pragma once
// No _GNU_SOURCE: it would give this module other definitions of the same types than Swift's Glibc module has.
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/ioctl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
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

static inline int mb_unix_datagram_socket(void) {
  return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}
// The kernel then adds the sender's process and user to each datagram, whatever the sender says.
static inline int mb_pass_credentials(int fd) {
  int on = 1;
  return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}
// `struct ucred` and SCM_CREDENTIALS, as the kernel has them: libc shows them only with _GNU_SOURCE.
struct mb_sender {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
// Receives a datagram: its first byte to `first`, the others to `rest`; never waits. `sender.uid` is -1 when the kernel named
// none; `truncated` says that there were more bytes than room. No descriptor that comes along finds room.
static inline ssize_t mb_receive_from(
    int fd, unsigned char *first, void *rest, size_t room, struct mb_sender *sender, int *truncated) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct mb_sender))];
  } control;
  struct iovec parts[2] = {{first, 1}, {rest, room}};
  struct msghdr message = {
      .msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control.space};
  sender->pid = 0;
  sender->uid = (uid_t)-1;
  sender->gid = (gid_t)-1;
  ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  *truncated = (message.msg_flags & MSG_TRUNC) != 0;
  struct cmsghdr *found = CMSG_FIRSTHDR(&message);
  if (found != NULL && found->cmsg_level == SOL_SOCKET && found->cmsg_type == 2 /* SCM_CREDENTIALS */ &&
      found->cmsg_len == CMSG_LEN(sizeof(struct mb_sender)))
    __builtin_memcpy(sender, CMSG_DATA(found), sizeof *sender);
  return count;
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
// The type of setpriority's first argument differs with and without _GNU_SOURCE.
static inline int mb_set_priority(pid_t process, int nice) { return setpriority(PRIO_PROCESS, (id_t)process, nice); }
static inline int mb_pidfd_send_signal(int descriptor, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, (void *)0, 0u);
}
// The device that the file at `path` lies on; never asks a server for it. Not glibc's statx: that needs _GNU_SOURCE.
static inline int mb_device_of(const char *path, unsigned *major, unsigned *minor) {
  struct statx information;
  if (syscall(SYS_statx, AT_FDCWD, path, 0x4000 /* AT_STATX_DONT_SYNC */, STATX_TYPE, &information) != 0) return -1;
  *major = information.stx_dev_major;
  *minor = information.stx_dev_minor;
  return 0;
}
static inline int mb_umount_lazily(const char *path) { return umount2(path, 2 /* MNT_DETACH */); }

// One request to device-mapper about the device `name`; `control` is /dev/mapper/control. 0, or -1 with errno.
struct mb_dm_request {
  struct dm_ioctl header;
  union {
    struct dm_target_spec target;
    char message[64];
  } data;
};
static inline struct mb_dm_request mb_dm_request_for(const char *name) {
  struct mb_dm_request request;
  memset(&request, 0, sizeof request);
  request.header.version[0] = DM_VERSION_MAJOR;
  request.header.data_size = sizeof request;
  request.header.data_start = sizeof request.header;
  strncpy(request.header.name, name, DM_NAME_LEN - 1);
  return request;
}
// Suspends without freezing the file system and without writing anything back: both may take as long as the disk likes.
static inline int mb_dm_suspend(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.flags = DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
  return ioctl(control, DM_DEV_SUSPEND, &request);
}
// Resumes, with the table that was loaded meanwhile.
static inline int mb_dm_resume(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.flags = DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
  return ioctl(control, DM_DEV_SUSPEND, &request);
}
// Loads a table of one target `error` that covers the device: every read and write fails.
static inline int mb_dm_load_error(int control, const char *name, unsigned long long sectors) {
  struct mb_dm_request request = mb_dm_request_for(name);
  request.header.target_count = 1;
  request.data.target.length = sectors;
  request.data.target.next = sizeof request.data.target + 8;
  strncpy(request.data.target.target_type, "error", DM_MAX_TYPE_NAME - 1);
  return ioctl(control, DM_TABLE_LOAD, &request);
}
// dm-crypt overwrites its key, which it does only while suspended.
static inline int mb_dm_wipe_key(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  struct dm_target_msg sector = {0};
  memcpy(request.data.message, &sector, sizeof sector);
  strcpy(request.data.message + sizeof sector, "key wipe");
  return ioctl(control, DM_TARGET_MSG, &request);
}
// 1 when it is suspended, 0 when not.
static inline int mb_dm_is_suspended(int control, const char *name) {
  struct mb_dm_request request = mb_dm_request_for(name);
  if (ioctl(control, DM_DEV_STATUS, &request) != 0) return -1;
  return (request.header.flags & DM_SUSPEND_FLAG) != 0;
}

// linux/fs.h cannot be included beside glibc's own headers: its FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_IMMUTABLE_FL.
static const int mb_flag_immutable = 0x10;
static inline int mb_get_inode_flags(int fd, int *flags) { return ioctl(fd, _IOR('f', 1, long), flags); }
static inline int mb_set_inode_flags(int fd, int flags) { return ioctl(fd, _IOW('f', 2, long), &flags); }
// open_tree(2) with OPEN_TREE_CLONE: a copy of the mount that path lies in, without the mounts on top of it, attached nowhere.
static inline int mb_open_bare_tree(const char *path) {
  return (int)syscall(428 /* SYS_open_tree */, AT_FDCWD, path, 1u | O_CLOEXEC);
}

// Swift's runtime has a crash, and Ctrl-\ (SIGQUIT), run a program named swift-backtrace, which it looks for beside ours. When ours was called by
// its bare name, as a shell does, that is below the working directory: whoever owns that would be root. To be called first.
static inline void mb_leave_crashes_to_the_kernel(void) {
  const int signals[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
    // Who started us may want one ignored.
    if (signal(signals[i], SIG_DFL) == SIG_IGN) signal(signals[i], SIG_IGN);
  }
}
