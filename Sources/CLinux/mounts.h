// Mounts.
// Header only; one fixed-arity function per call, named mb_…, nothing else. No _GNU_SOURCE: it would give this module other
// definitions of the same types than Swift's Glibc module has.
#pragma once
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int mb_umount_lazily(const char *path) { return umount2(path, 2 /* MNT_DETACH */); }
// open_tree(2) with OPEN_TREE_CLONE: a copy of the mount that path lies in, without the mounts on top of it, attached nowhere.
static inline int mb_open_bare_tree(const char *path) {
  return (int)syscall(428 /* SYS_open_tree */, AT_FDCWD, path, 1u | O_CLOEXEC);
}
// Two names of one file system change places in one step: renameat2(2) with RENAME_EXCHANGE.
static inline int mb_exchange(const char *one, const char *other) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2u);
}
