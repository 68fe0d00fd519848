import CLinux
import Glibc

/// Has the names in a directory on the disk: until then a power cut may take back a new name, or a removal.
public func syncDirectory(_ path: String) throws(SystemError) {
  let descriptor = mb_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
  guard descriptor >= 0 else { throw SystemError(path, errno: errno) }
  defer { close(descriptor) }
  // A file system that keeps no names of its own says EINVAL.
  guard fsync(descriptor) == 0 || errno == EINVAL else { throw SystemError(path, errno: errno) }
}
