import CLinux
import Glibc

/// Replaces a file in one step, readable by all: another program sees the old one or the new one, never half of it.
///
/// - Parameters:
///   - temporary: the name of the new file until it is whole; what is there under that name goes.
///   - directory: where both names begin; `AT_FDCWD`: the working directory, for absolute paths.
///   - durable: whether it is on the disk before it has its name.
/// - Throws: with the path, and nothing has changed then.
public func replaceFile(
  _ path: String, with bytes: [UInt8], temporary: String, in directory: Int32 = AT_FDCWD, durable: Bool = false
) throws(SystemError) {
  unlinkat(directory, temporary, 0)
  let descriptor = mb_openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
  guard descriptor >= 0 else { throw SystemError(temporary, errno: errno) }
  defer { close(descriptor) }
  // The umask does not decide who may read it.
  guard writeAll(bytes, to: descriptor), fchmod(descriptor, 0o644) == 0, !durable || fsync(descriptor) == 0,
    renameat(directory, temporary, directory, path) == 0
  else {
    let code = errno
    unlinkat(directory, temporary, 0)
    throw SystemError(path, errno: code)
  }
}
