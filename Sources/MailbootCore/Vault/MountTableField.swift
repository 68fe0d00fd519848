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

/// Whether something is mounted on that very path, by a text of `/proc/self/mountinfo`.
///
/// An automount point alone is nothing yet, and whoever looks into it waits for the mount.
public func isMountPoint(_ path: String, in table: [UInt8]) -> Bool {
  for line in table.split(separator: UInt8(ascii: "\n")).reversed() {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    guard fields.count > 5, unescaped(fields[4]).utf8.elementsEqual(path.utf8) else { continue }
    let words = fields[5].split(separator: UInt8(ascii: " "))
    let dash = words.firstIndex { $0.elementsEqual("-".utf8) }
    return !(dash.map { words[words.index(after: $0)...].first?.elementsEqual("autofs".utf8) ?? false } ?? false)
  }
  return false
}
