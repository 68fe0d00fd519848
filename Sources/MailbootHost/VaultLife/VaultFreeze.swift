import Glibc
import Linux
import MailbootCore

/// Keeps everybody from writing into the open vault while it is copied for the last time.
///
/// The kernel refuses it while a file there is open for writing, and refuses each write afterwards: what was copied is all there is. It
/// is the file system that becomes so, not its mount: services with a namespace of their own have another one.
struct VaultFreeze {
  let mount: String
  var mark = "/run/mailboot/frozen"

  /// - Throws: `.mount` with `.busy` when somebody has a file open for writing.
  func freeze() throws(Failure) {
    do {
      // Before it is frozen: whoever comes after a kill has to know whose doing it is.
      try replaceFile(mark, with: Array(mount.utf8), temporary: mark + ".new")
    } catch {
      throw Failure(error)
    }
    let (isDone, said) = remount("ro")
    guard isDone else {
      unlink(mark)
      throw .mount(.busy("it cannot be made read-only: \(said)"), path: mount)
    }
  }

  func thaw() throws(Failure) {
    guard fileStatus(mark) != nil else { return }
    let now = MountTable.current()?.mount(on: mount)
    if now?.isReadOnly ?? false || now?.hasReadOnlyFileSystem ?? false {
      let (isDone, said) = remount("rw")
      guard isDone else { throw .mount(.refused(result: "it stays read-only: \(said)", journal: []), path: mount) }
    }
    unlink(mark)
  }

  private func remount(_ how: String) -> (Bool, String) {
    guard
      // gocryptfs would be called as a helper, and knows nothing of it.
      let child = try? ChildProcess(["/usr/bin/mount", "--internal-only", "-o", "remount,\(how)", mount])
    else { return (false, "mount(8) cannot be run") }
    let end = child.wait(until: monotonicSeconds() + 60)
    return (end == .exited(0), child.errorOutput.split(separator: "\n").last.map(String.init) ?? "")
  }
}
