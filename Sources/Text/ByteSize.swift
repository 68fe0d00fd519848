/// A number of bytes as people write it: `10G`, `512MiB`, `1.5T`, `4096`; powers of 1024. Nil: it is none, or more than there can be.
public func parsedByteSize(_ text: String) -> UInt64? {
  let digits = text.prefix { $0.isNumber && $0.isASCII || $0 == "." }
  guard let number = Double(digits), number >= 0, digits.first != ".", digits.last != "." else { return nil }
  var unit = text.dropFirst(digits.count).drop { $0 == " " }.uppercased()
  if unit.hasSuffix("IB") { unit.removeLast(2) } else if unit.hasSuffix("B") { unit.removeLast() }
  guard let power = ["", "K", "M", "G", "T", "P"].firstIndex(of: unit) else { return nil }
  var bytes = number
  for _ in 0..<power { bytes *= 1024 }
  return bytes < 9e18 ? UInt64(bytes) : nil
}

/// `10.0 GiB`, three digits at most before the point.
public func byteSize(_ bytes: UInt64) -> String {
  var value = Double(bytes)
  var unit = 0
  while value >= 1024 && unit < 5 {
    value /= 1024
    unit += 1
  }
  return unit == 0 ? "\(bytes) bytes" : "\(decimal(value, places: 1)) \(["", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
}
