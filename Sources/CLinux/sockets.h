// Sockets.
// Header only; one fixed-arity function per call, named mb_…, nothing else. No _GNU_SOURCE: it would give this module other
// definitions of the same types than Swift's Glibc module has.
#pragma once
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
