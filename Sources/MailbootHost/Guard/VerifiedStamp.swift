import CLinux
import Glibc
import Linux
import MailbootCore

/// What the guard's units ask for beside the mount: that a run has verified the vault, see `GuardDropIn`.
struct VerifiedStamp {
  var services = GuardDropIn.verifiedPath
  var door = GuardDropIn.verifiedDoorPath

  /// Lets services start, and with `door` those too that take mail from the world.
  func make(door withDoor: Bool) throws(Failure) {
    for path in withDoor ? [services, door] : [services] {
      let descriptor = mb_open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard descriptor >= 0 else { throw .system("\(path): \(errnoText())") }
      close(descriptor)
    }
  }

  /// From here on nothing starts.
  func remove() {
    shutDoor()
    unlink(services)
  }

  /// A door that was never opened is not to be started by others.
  func shutDoor() { unlink(door) }
}
