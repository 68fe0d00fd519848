import CLinux
import Glibc
import Linux
import MailbootCore

/// What can be known to fail before anybody types a passphrase.
extension GocryptfsVault {
  func checkClosed(_ tools: VaultTools, byToken: Bool) throws(Failure) -> String {
    if byToken { throw .vault(VaultFailure(.noToken, "there is none"), device: directory) }
    guard access(GocryptfsUnit.program, X_OK) == 0 else {
      throw .vault(VaultFailure(.noProgram, "\(GocryptfsUnit.program): \(errnoText())"), device: directory)
    }
    let real = try encryptedDirectory(tools)
    try requireMemory(GocryptfsConfiguration(in: real).derivationMemoryKiB, device: directory)
    // No reason to keep mail down: without the passphrase nobody makes another vault of it that this one opens.
    if let reason = untrustedReason("\(real)/\(GocryptfsConfiguration.fileName)") {
      tools.warn("\(reason): somebody else than root can make \(directory) unusable")
    }
    if swapIsInReach() {
      tools.warn(
        "there is swap, and this kernel does not bound what units put there: the vault's key may be written to it")
    }
    guard access("/dev/fuse", F_OK) == 0 else {
      throw .mount(.noFUSE("/dev/fuse: \(errnoText())"), path: vault.mount)
    }
    guard let table = MountTable.current() else {
      throw .system("/proc is not mounted: the mount table cannot be read")
    }
    // Parts of a broken one are mounted elsewhere, too.
    let elsewhere = table.entries.last { entry in
      isOurs(entry) && entry.mountPoint != vault.mount && entry.device != ours(table)?.device
    }
    if let elsewhere {
      throw .vault(VaultFailure(.busy, "it is open on \(elsewhere.mountPoint)"), device: directory)
    }
    // What a broken one has left is cleared away later.
    if ours(table) == nil { try Mounts.checkFree(vault.mount) }
    return real
  }

  func headerBackup(_ headers: HeaderStore, _ tools: VaultTools) -> HeaderBackupState? {
    resolvedPath(directory).map { headers.state(ofGocryptfs: $0) }
  }

  /// The directory itself; waited for, should it lie on a disk that is yet to come.
  private func encryptedDirectory(_ tools: VaultTools) throws(Failure) -> String {
    let deadline = Reactor.monotonic() + Double(tools.deviceTimeout)
    // Without the mount above it, `gocryptfs.conf` is not there yet.
    while fileStatus("\(directory)/\(GocryptfsConfiguration.fileName)") == nil, errno == ENOENT,
      Reactor.monotonic() < deadline, isMountedLater(directory)
    {
      try tools.units.reactor.sleep(seconds: 0.2)
    }
    guard let real = resolvedPath(directory), let status = fileStatus(real) else {
      throw .vault(VaultFailure(.noDirectory, errnoText()), device: directory)
    }
    guard mb_s_isdir(status.st_mode) != 0 else {
      throw .vault(VaultFailure(.notGocryptfs, "it is not a directory"), device: directory)
    }
    return real
  }

  /// The mount table names the directory, so what is open under our name is ours.
  func checkOpen(_ tools: VaultTools) throws(Failure) {}
}
