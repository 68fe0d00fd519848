/// A field of `/proc/self/mountinfo` or fstab: `\040` and its like, as the kernel writes space, tab, newline and backslash, are read.
public func unescaped(_ field: Substring) -> String { unescaped(Array(field.utf8)[...]) }

/// The same of bytes.
public func unescaped(_ field: ArraySlice<UInt8>) -> String {
  guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
  var bytes: [UInt8] = []
  var rest = field
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "\\"), rest.count >= 3, rest.prefix(3).allSatisfy({ (0x30...0x37).contains($0) }) {
      let value = rest.prefix(3).reduce(0) { $0 * 8 + Int($1 - 0x30) }
      bytes.append(UInt8(truncatingIfNeeded: value))
      rest = rest.dropFirst(3)
    } else {
      bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
