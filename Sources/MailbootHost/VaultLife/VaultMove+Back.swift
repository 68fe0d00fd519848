import Glibc
import Linux
import MailbootCore
import SecretMemory

/// After the switch: to its end when it was cut, and back.
extension VaultMove {
  /// Whether the tables are switched, and the vault before is open still: a cut came between.
  /// - Parameter previous: the configuration with the previous table.
  public func isCutAfterSwitch(_ previous: Configuration) -> Bool {
    let isOpen = (try? state(of: previous).isOpen) ?? false
    return isOpen && !((try? state(of: old).isOpen) ?? false)
  }

  /// Closes the one before and brings up the one in use.
  public func finish(_ previous: Configuration, _ passphrase: borrowing SecretBytes, kill: Bool) throws(Failure) {
    if chdir("/") != 0 { throw .system("/: \(errnoText())") }
    try work.alone("vault move") { () throws(Failure) in try lock(previous, kill: kill) }
    try bringUp(old, passphrase)
  }

  /// How many files in the vault in use are newer than the switch; nil: it is closed.
  public func newerFiles() throws(Failure) -> Int? {
    guard try state(of: old).isOpen, MountTable.current()?.mount(on: mount) != nil else { return nil }
    let lines = try work.mustRun(
      ["/usr/bin/find", mount, "-xdev", "-type", "f", "-newer", paths.previous, "-printf", "x\\n"])
    return lines.count
  }

  /// The vault before takes the place of the one in use: this move's `next` is the previous one.
  public func back(_ passphrase: borrowing SecretBytes, kill: Bool) throws(Failure) {
    if chdir("/") != 0 { throw .system("/: \(errnoText())") }
    try refuseFstab(new.vault)
    guard paths.has(paths.current) else {
      throw .usage("\(paths.current) is gone: the tables cannot change places", hint: "correct [vault] by hand")
    }
    try work.alone("vault move") { () throws(Failure) in
      // A wrong passphrase is found while mail still goes on.
      try withNew(new, passphrase) { _ in }
      work.reactor.stopListening()
      if let uuid, let table = paths.text(paths.current) {
        try paths.write(paths.current, Array(paths.noting(uuid, in: table).utf8))
      }
      try paths.exchange()
      do throws(Failure) {
        try lock(old, kill: kill)
      } catch {
        try paths.exchange()
        throw error
      }
    }
    try bringUp(new, passphrase)
  }
}
