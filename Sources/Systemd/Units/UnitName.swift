/// The full name of a systemd unit, such as `postfix.service` or `vault.mount`.
public struct UnitName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let rawValue: String

  private static let suffixes = [
    ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice",
    ".scope",
  ]

  /// A name without one of systemd's unit types is a service, as `systemctl` reads it: `postfix` → `postfix.service`.
  public init(_ name: String) {
    rawValue = Self.suffixes.contains { name.hasSuffix($0) } ? name : name + ".service"
  }

  public init(stringLiteral value: String) { self.init(value) }

  public var description: String { rawValue }

  /// What follows the last dot: `service`, `mount`, …
  public var type: Substring { rawValue[rawValue.index(after: rawValue.lastIndex(of: ".") ?? rawValue.startIndex)...] }

  /// The name without its type: `postfix`.
  public var stem: Substring { rawValue[..<(rawValue.lastIndex(of: ".") ?? rawValue.endIndex)] }

  /// The template of an instance: `postfix@-.service` → `postfix@.service`; of any other unit nil.
  public var template: UnitName? {
    guard let at = rawValue.firstIndex(of: "@"), let dot = rawValue.lastIndex(of: "."), at < dot else { return nil }
    let name = rawValue[...at] + rawValue[dot...]
    return name == rawValue ? nil : UnitName(String(name))
  }

  /// The mount unit of a mount point: `/vault` → `vault.mount`, `/` → `-.mount`.
  ///
  /// The path is absolute and has no `..`: systemd has no unit for such a path.
  public static func mount(forPath path: String) -> UnitName { UnitName(escape(path: path) + ".mount") }

  /// The device unit of a device node: `/dev/mapper/vault-blk` → `dev-mapper-vault\x2dblk.device`.
  public static func device(forPath path: String) -> UnitName { UnitName(escape(path: path) + ".device") }

  /// The unit that checks the file system on a device: `systemd-fsck@dev-vdb.service`.
  public static func fsck(forDevice path: String) -> UnitName { UnitName("systemd-fsck@\(escape(path: path)).service") }

  /// A path as it stands in a unit name, like `systemd-escape --path` (systemd.unit(5), "String escaping").
  static func escape(path: String) -> String {
    let components = path.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
    if components.isEmpty { return "-" }
    var escaped = ""
    for (index, component) in components.enumerated() {
      if index > 0 { escaped += "-" }
      for (position, byte) in component.enumerated() {
        let leadingDot = index == 0 && position == 0 && byte == UInt8(ascii: ".")
        if isPlain(byte) && !leadingDot {
          escaped.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
          escaped += "\\x" + hexadecimal(byte)
        }
      }
    }
    return escaped
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

/// Two lower-case hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return byte < 16 ? "0" + digits : digits
}
