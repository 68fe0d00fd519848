/// A number of bytes as people write and read it.
public enum ByteCount {
  private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]

  /// `10G`, `512MiB`, `1.5T`, or bytes; units are binary, as `fallocate` and `lvcreate` have them. Nil: not understood, or more than
  /// fits.
  public static func parse(_ text: String) -> UInt64? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    var unit = text.dropFirst(digits.count).lowercased()
    if unit.hasSuffix("ib") { unit.removeLast(2) } else if unit.hasSuffix("b") { unit.removeLast() }
    let power: Int
    switch unit {
    case "": power = 0
    case "k": power = 1
    case "m": power = 2
    case "g": power = 3
    case "t": power = 4
    default: return nil
    }
    if let whole = UInt64(digits) {
      let (bytes, overflow) = whole.multipliedReportingOverflow(by: UInt64(1) << UInt64(10 * power))
      return overflow || bytes > UInt64(Int64.max) ? nil : bytes
    }
    guard power > 0, let number = Double(digits), number >= 0 else { return nil }
    let bytes = number * Double(UInt64(1) << UInt64(10 * power))
    return bytes < Double(Int64.max) ? UInt64(bytes) : nil
  }

  /// `9.9 GiB`
  public static func text(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return decimal(value, places: unit == 0 || value >= 100 ? 0 : 1) + " " + units[unit]
  }
}
