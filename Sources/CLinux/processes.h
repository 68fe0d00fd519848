// Processes, their limits and signals.
// Header only; one fixed-arity function per call, named mb_…, nothing else. No _GNU_SOURCE: it would give this module other
// definitions of the same types than Swift's Glibc module has.
#pragma once
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int mb_prctl_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int mb_prctl_set_no_new_privs(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static inline int mb_prctl_set_pdeathsig(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
static inline int mb_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int mb_wifexited(int status) { return WIFEXITED(status); }
static inline int mb_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int mb_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int mb_wtermsig(int status) { return WTERMSIG(status); }
// From `first` on, none that is open now is handed to a program that is started later.
static inline int mb_keep_from_children(unsigned first) {
  return (int)syscall(SYS_close_range, first, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
}
static inline int mb_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }
// posix_spawn_file_actions_addchdir_np(3), which libc shows only with _GNU_SOURCE.
extern int mb_spawn_in_directory(void *actions, const char *path) __asm__("posix_spawn_file_actions_addchdir_np");
static inline pid_t mb_fork(void) { return fork(); }
static inline int mb_pidfd_send_signal(int descriptor, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, (void *)0, 0u);
}
// The type of setpriority's first argument differs with and without _GNU_SOURCE.
static inline int mb_set_priority(pid_t process, int nice) { return setpriority(PRIO_PROCESS, (id_t)process, nice); }
static inline int mb_madvise_dontdump(void *address, size_t length) {
  return madvise(address, length, MADV_DONTDUMP);
}

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

static inline int mb_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }
// The number of the next waiting signal; 0: none.
static inline int mb_next_signal(int descriptor) {
  struct signalfd_siginfo information;
  return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
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
