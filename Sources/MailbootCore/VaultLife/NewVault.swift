/// A vault that is to be made.
public struct NewVault: Equatable, Sendable {
  /// Where its encrypted bytes are to be.
  public enum Place: Equatable, Sendable {
    /// A partition, a disk or a logical volume.
    case device(String)
    /// A new file of so many bytes.
    case file(String, bytes: UInt64)
    /// A new or empty directory, of gocryptfs.
    case directory(String)
  }

  /// What becomes of it.
  public enum Purpose: Equatable, Sendable {
    /// The vault of this host.
    case first
    /// One more, of this name.
    case another(String)
    /// The one that `mailboot vault move` moves to.
    case next
  }

  public var place: Place
  public var purpose: Purpose
  /// Below `/dev/mapper`, once it is in use.
  public var mapping: String
  public var mount: String
  public var filesystem: String
  /// Of the LUKS header and of the file system.
  public var label: String
  /// Whether each sector has a checksum that only the key can make.
  public var hasIntegrity = false
  /// Of the passphrase's key derivation; gocryptfs has its own.
  public var cost: KeyDerivationCost

  public init(
    place: Place, purpose: Purpose, mapping: String, mount: String, filesystem: String, label: String,
    cost: KeyDerivationCost
  ) {
    self.place = place
    self.purpose = purpose
    self.mapping = mapping
    self.mount = mount
    self.filesystem = filesystem
    self.label = label
    self.cost = cost
  }

  public var type: VaultType {
    if case .directory = place { .gocryptfs } else { .luks }
  }

  /// As people name it.
  public var subject: String {
    switch place {
    case .device(let path), .file(let path, _), .directory(let path): path
    }
  }

  public static let filesystems = ["ext4", "xfs", "btrfs"]

  /// The fewest bytes that it may have: the header and its keyslots take 16 MiB, and no file system is made in less.
  public static func leastBytes(filesystem: String) -> UInt64 {
    switch filesystem {
    case "xfs": (300 + 16) << 20
    case "btrfs": (109 + 16) << 20
    default: 48 << 20
    }
  }

  /// The file for `mailboot.toml.d`, or the one that waits for a move.
  /// - Parameter device: how it is found; of a partition `UUID=…`.
  public func configuration(device: String) -> String {
    var lines = ["# Written by `mailboot vault create`.", ""]
    if case .another(let name) = purpose {
      lines += ["[[vault]]", "name = \(Self.quoted(name))"]
    } else {
      lines.append("[vault]")
    }
    lines += ["type = \"\(type.rawValue)\"", "device = \(Self.quoted(device))"]
    if type == .luks { lines += ["mapping = \(Self.quoted(mapping))", "filesystem = \"\(filesystem)\""] }
    lines.append("mount = \(Self.quoted(mount))")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
