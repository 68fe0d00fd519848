// Loaded into gocryptfs (LD_PRELOAD): its threads act for several users at once again.
//
// gocryptfs makes each file as whoever asks for it: a thread takes that user's numbers for one call. It means the kernel's own calls, which
// concern the calling thread alone. As Debian builds it (2.3, 2.5.1) it calls the C library's, which change all threads of the process: while
// two users are served at once, each is refused with EPERM or EACCES what is its own, a tenth to a half of all calls. Here they are the
// kernel's calls again.
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int setreuid(uid_t real, uid_t effective) { return (int)syscall(SYS_setreuid, real, effective); }
int setregid(gid_t real, gid_t effective) { return (int)syscall(SYS_setregid, real, effective); }
int setgroups(size_t count, const gid_t *groups) { return (int)syscall(SYS_setgroups, count, groups); }
