extension Configuration.Vault {
  /// As a drop-in of its own: every key that its kind knows, so that no earlier file adds to it.
  public var table: String {
    var lines = ["[vault]", "type = \(Self.quoted(kind.rawValue))"]
    if let device = shownDevice { lines.append("device = \(Self.quoted(device))") }
    lines.append("mount = \(Self.quoted(mount))")
    if kind != .plain { lines.append("options = [" + options.map(Self.quoted).joined(separator: ", ") + "]") }
    if kind == .luks {
      lines += ["mapping = \(Self.quoted(mapping))", "filesystem = \(Self.quoted(filesystem))"]
      if let header { lines.append("header = \(Self.quoted(header))") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A basic string of TOML.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
