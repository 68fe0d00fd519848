import CLinux
import Glibc
import Linux
import MailbootCore

/// Has all that was written below a directory on the disk, before anybody is told to use it.
func settle(_ directory: String) throws(Failure) {
  let descriptor = mb_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
  guard descriptor >= 0 else { throw .system("\(directory): \(errnoText())") }
  defer { close(descriptor) }
  guard mb_syncfs(descriptor) == 0 else { throw .system("\(directory) cannot be written to the disk: \(errnoText())") }
  // FUSE passes nothing on.
  sync()
}

/// Has the names in a directory on the disk.
func settleNames(in directory: String) throws(Failure) {
  do throws(SystemError) {
    try syncDirectory(directory)
  } catch {
    throw Failure(error)
  }
}
