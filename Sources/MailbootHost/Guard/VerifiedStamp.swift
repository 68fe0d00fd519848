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
      // One that was there is another one from now on, see `remove(ifStill:)`.
      futimens(descriptor, nil)
      close(descriptor)
    }
  }

  /// Changes each time it is made; nil: there is none.
  func identity() -> String? {
    fileStatus(services).map { "\($0.st_ino).\($0.st_ctim.tv_sec).\($0.st_ctim.tv_nsec)" }
  }

  /// For who holds no lock: a run that has made it anew since then keeps it.
  func remove(ifStill identity: String?) {
    if let identity, self.identity() == identity { remove() }
  }

  /// From here on nothing starts.
  func remove() {
    shutDoor()
    unlink(services)
  }

  /// A door that was never opened is not to be started by others.
  func shutDoor() { unlink(door) }
}
