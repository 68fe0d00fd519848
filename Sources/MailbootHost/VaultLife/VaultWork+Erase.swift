import CLinux
import Glibc
import Linux
import MailbootCore

/// Makes a vault that was left unreadable for ever: without its keys nobody opens it, whatever copies of the passphrase there are.
extension VaultWork {
  /// - Parameters:
  ///   - other: with the vault to erase; it must be closed, and not the one in use.
  ///   - uuid: what its header must have; nil: that is not known.
  public func erase(_ other: Configuration, uuid: String? = nil) throws(Failure) {
    let vault = other.vault
    guard let table = MountTable.current() else { throw .system("/proc is not mounted") }
    guard try VaultKinds.make(other).observe(table).opening == .closed || vault.mapping == configuration.vault.mapping
    else {
      throw .usage("it is open", hint: "close it first")
    }
    guard let named = vault.shownDevice, let device = resolvedPath(DeviceResolver.path(for: named)) else {
      throw .deviceNotFound(wanted: vault.shownDevice ?? "?", waited: 0)
    }
    for mine in configuration.vaults {
      guard let place = mine.shownDevice.flatMap({ resolvedPath(DeviceResolver.path(for: $0)) }) else { continue }
      if device == place { throw .usage("\(device) is the vault in use", hint: nil) }
      if isPath(place, within: device) {
        throw .usage("\(place), a vault in use, lies in \(device)", hint: "remove the rest of it by hand")
      }
    }
    switch vault.kind {
    case .luks:
      let found = try facts(device, header: vault.header)
      if let uuid, found.uuid != uuid {
        throw .usage(
          "\(device) is not the vault that is meant: its UUID is \(found.uuid), and that one's was \(uuid)",
          hint: "see `lsblk -o NAME,UUID,FSTYPE`, and correct `device` in previous-vault.toml; nothing was changed")
      }
      try eraseHeader(vault.header ?? device, length: found.dataOffset)
    case .gocryptfs:
      let file = "\(device)/\(GocryptfsConfiguration.fileName)"
      try overwrite(file, length: UInt64(max(0, fileStatus(file)?.st_size ?? 0)), exclusively: false)
      try mustRun(["/usr/bin/rm", "-r", "--one-file-system", "--", device])
    case .veracrypt, .bitlocker:
      throw .usage(
        "the headers of \(vault.kind.title) are not known here",
        hint: "erase all of it: `blkdiscard -f` or `shred -n 1 \(device)`")
    case .plain: throw .usage("nothing is encrypted there", hint: "remove \(vault.mount) by hand")
    }
  }

  private func eraseHeader(_ path: String, length: UInt64) throws(Failure) {
    let least: UInt64 = 16 << 20
    let whole = blockBytes(path) ?? 0
    try overwrite(path, length: min(whole, max(least, length)), exclusively: true)
  }

  private func overwrite(_ path: String, length: UInt64, exclusively: Bool) throws(Failure) {
    // A block device that something uses cannot be opened exclusively.
    let isBlock = fileStatus(path).map { mb_s_isblk($0.st_mode) != 0 } ?? false
    let flags = O_WRONLY | O_CLOEXEC | (exclusively && isBlock ? O_EXCL : O_NOFOLLOW)
    let descriptor = mb_open(path, flags, 0)
    guard descriptor >= 0 else { throw .system("\(path): \(errnoText())") }
    defer { close(descriptor) }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    var left = length
    while left > 0 {
      let count = Int(min(left, UInt64(zeros.count)))
      guard writeAll(zeros.prefix(count), to: descriptor) else { throw .system("\(path): \(errnoText())") }
      left -= UInt64(count)
    }
    guard fsync(descriptor) == 0 else { throw .system("\(path): \(errnoText())") }
  }
}

/// Whether a path is a directory or lies below it.
func isPath(_ path: String, within directory: String) -> Bool { (path + "/").hasPrefix(directory + "/") }
