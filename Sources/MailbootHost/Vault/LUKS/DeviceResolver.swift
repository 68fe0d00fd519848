import CLinux
import Glibc
import Linux
import MailbootCore

/// Finds the vault's device.
struct DeviceResolver {
  let vault: Configuration.Vault
  let timeout: Int

  /// What the configuration means, as it may be waited for: a path.
  private func wanted() throws(Failure) -> (path: String, as: String) {
    if let configured = vault.device { return (Self.path(for: configured), configured) }
    if let text = readSmallText("/etc/crypttab"), let device = Self.crypttabDevice(of: vault.mapping, in: text) {
      return (Self.path(for: device), "\(device) (from /etc/crypttab)")
    }
    let found = Self.luksDevices()
    switch found.count {
    case 0: throw .noLUKSDevice
    case 1: return (found[0], found[0])
    default: throw .severalLUKSDevices(found)
    }
  }

  /// The device that configuration or crypttab name; nil when neither does.
  func resolveNamed(_ reactor: Reactor) throws(Failure) -> String? {
    let inCrypttab = readSmallText("/etc/crypttab").flatMap { Self.crypttabDevice(of: vault.mapping, in: $0) }
    return vault.device == nil && inCrypttab == nil ? nil : try resolve(reactor)
  }

  /// Path of a block device or regular file, waited for up to the timeout.
  func resolve(_ reactor: Reactor) throws(Failure) -> String {
    let deadline = Reactor.monotonic() + Double(timeout)
    var wanted: (path: String, as: String)?
    repeat {
      do {
        wanted = try self.wanted()
      } catch .noLUKSDevice where Reactor.monotonic() < deadline {
        // udev may not have looked at the disks yet; see below.
        wanted = nil
      }
      if let wanted, let status = fileStatus(wanted.path) {
        try refuseTwins(vault.device)
        guard mb_s_isblk(status.st_mode) != 0 || mb_s_isreg(status.st_mode) != 0 else {
          throw .vault(VaultFailure(.noDevice, "it is neither a block device nor a regular file"), device: wanted.as)
        }
        return wanted.path
      }
      // A plain path outside /dev does not appear by itself.
      if let wanted, !wanted.path.hasPrefix("/dev/") { throw .deviceNotFound(wanted: wanted.as, waited: 0) }
      if wanted == nil && Self.udevHasSettled() { throw .noLUKSDevice }
      try reactor.sleep(seconds: 0.1)
    } while Reactor.monotonic() < deadline
    guard let wanted else { throw .noLUKSDevice }
    throw .deviceNotFound(wanted: wanted.as, waited: timeout)
  }

  /// Of two volumes with one label or UUID udev names the one that came last. Which of them has the mail nobody can tell.
  private func refuseTwins(_ device: String?) throws(Failure) {
    guard let device else { return }
    for (tag, key) in [("LABEL=", "ID_FS_LABEL_ENC"), ("UUID=", "ID_FS_UUID_ENC")] where device.hasPrefix(tag) {
      let value = Self.path(for: device).split(separator: "/").last.map(String.init) ?? ""
      let found = Self.encryptedDevices(with: "E:\(key)=\(value)")
      if found.count > 1 { throw .severalDevices(wanted: device, found) }
    }
  }

  /// The LUKS devices of which udev says this. One that lies below another one of them is the same volume.
  static func encryptedDevices(
    with line: String, sysfs: String = "/sys", database: String = "/run/udev/data"
  ) -> [String] {
    let block = sysfs + "/class/block"
    let found = (listDirectory(block) ?? []).filter { name in
      guard let number = readAttribute("\(block)/\(name)/dev"),
        let lines = readSmallText("\(database)/b\(number)")?.split(separator: "\n")
      else { return false }
      return lines.contains("E:ID_FS_TYPE=crypto_LUKS") && lines.contains(Substring(line))
    }
    let below = Set(found.flatMap { listDirectory("\(block)/\($0)/slaves") ?? [] })
    return found.filter { !below.contains($0) }.sorted().map { "/dev/\($0)" }
  }

  /// udev's names for tags; a path stays itself.
  static func path(for device: String) -> String {
    for (tag, directory) in [
      ("UUID=", "by-uuid"), ("LABEL=", "by-label"), ("PARTUUID=", "by-partuuid"), ("PARTLABEL=", "by-partlabel"),
    ]
    where device.hasPrefix(tag) {
      let value = device.dropFirst(tag.count).filter { $0 != "\"" }
      // udev writes GUIDs in lower case, however they are shown elsewhere. Other file systems' numbers, such as FAT's
      // `1A2B-3C4D`, have a case of their own.
      let name = tag == "PARTUUID=" || isGUID(value) ? value.lowercased() : String(value)
      return "/dev/disk/\(directory)/" + udevEncoded(name)
    }
    return device
  }

  private static func isGUID(_ text: String) -> Bool {
    text.split(separator: "-", omittingEmptySubsequences: false).map(\.count) == [8, 4, 4, 4, 12]
      && text.allSatisfy { $0 == "-" || $0.isHexDigit }
  }

  /// As udev encodes labels in link names: everything unsafe as `\xNN`.
  static func udevEncoded(_ name: String) -> String {
    var encoded = ""
    for scalar in name.unicodeScalars {
      let isWord = scalar.properties.isAlphabetic && scalar.isASCII || ("0"..."9").contains(scalar)
      if isWord || !scalar.isASCII || "#+-.:=@_".unicodeScalars.contains(scalar) {
        encoded.unicodeScalars.append(scalar)
      } else {
        let hex = String(scalar.value, radix: 16)
        encoded += "\\x" + (hex.count < 2 ? "0" : "") + hex
      }
    }
    return encoded
  }

  /// The mapping's line in crypttab(5).
  static func crypttabEntry(of mapping: String, in text: String) -> (device: String, options: [String])? {
    for line in text.split(separator: "\n") {
      let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard fields.count >= 2, fields[0] == mapping else { continue }
      return (String(fields[1]), fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : [])
    }
    return nil
  }

  static func crypttabDevice(of mapping: String, in text: String) -> String? {
    crypttabEntry(of: mapping, in: text)?.device
  }

  /// Every block device with a LUKS header, as udev's database says.
  static func luksDevices() -> [String] {
    let block = "/sys/class/block"
    return (listDirectory(block) ?? []).compactMap { name in
      guard let number = readAttribute("\(block)/\(name)/dev"),
        let database = readSmallText("/run/udev/data/b\(number)"),
        database.split(separator: "\n").contains("E:ID_FS_TYPE=crypto_LUKS")
      else { return nil }
      return "/dev/\(name)"
    }
  }

  /// Whether udev has no events waiting: `/run/udev/queue` is there while it has.
  private static func udevHasSettled() -> Bool { access("/run/udev/queue", F_OK) != 0 }
}
