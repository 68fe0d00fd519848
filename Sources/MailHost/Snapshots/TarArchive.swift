import Text

/// The archive of POSIX.1-2001 (`ustar` with extended headers), as tar(1) opens it: as much of it as a snapshot takes.
enum TarArchive {
  static let block = 512
  static let end = [UInt8](repeating: 0, count: 2 * block)

  /// What stands before an entry's bytes.
  static func member(_ entry: SnapshotEntry) -> [UInt8] {
    let name = entry.name + (entry.kind == .directory ? "/" : "")
    var more: [(String, String)] = []
    if !fits(name, 100) { more.append(("path", name)) }
    if !fits(entry.target, 100) { more.append(("linkpath", entry.target)) }
    if !fits(entry.owner, 31) { more.append(("uname", entry.owner)) }
    if !fits(entry.group, 31) { more.append(("gname", entry.group)) }
    var bytes: [UInt8] = []
    if !more.isEmpty {
      let records = more.flatMap { record($0.0, $0.1) }
      bytes += header("././@PaxHeader", type: "x", size: records.count, entry) + padded(records)
    }
    return bytes + header(name, type: type(of: entry.kind), size: entry.kind == .file ? entry.size : 0, entry)
  }

  /// With zeros up to the next block.
  static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (block - bytes.count % block) % block)
  }

  static func type(of kind: SnapshotEntry.Kind) -> Unicode.Scalar {
    switch kind {
    case .file: "0"
    case .link: "2"
    case .directory: "5"
    }
  }

  /// Such a field is also read by programs that know no extended headers, and in any locale.
  private static func fits(_ text: String, _ size: Int) -> Bool {
    text.utf8.count <= size && text.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
  }

  /// `LENGTH KEY=VALUE`, where the length counts itself.
  private static func record(_ key: String, _ value: String) -> [UInt8] {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count + 1
    while String(length).utf8.count + rest.utf8.count != length { length += 1 }
    return Array("\(length)\(rest)".utf8)
  }

  private static func header(_ name: String, type: Unicode.Scalar, size: Int, _ entry: SnapshotEntry) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: block)
    func put(_ text: String, _ place: Int, _ size: Int) {
      bytes.replaceSubrange(place..<place + min(size, text.utf8.count), with: text.utf8.prefix(size))
    }
    func put(_ number: Int, _ place: Int, _ size: Int) {
      let digits = String(max(0, number), radix: 8)
      put(String(repeating: "0", count: max(0, size - 1 - digits.count)) + digits, place, size - 1)
    }
    put(name, 0, 100)
    put(Int(entry.mode), 100, 8)
    // By names: numbers are of another system.
    put(0, 108, 8)
    put(0, 116, 8)
    put(size, 124, 12)
    put(Int(secondsSince1970(timestamp: entry.modified) ?? 0), 136, 12)
    put("        ", 148, 8)
    put(String(type), 156, 1)
    put(entry.target, 157, 100)
    put("ustar\u{0}00", 257, 8)
    put(entry.owner, 265, 31)
    put(entry.group, 297, 31)
    let sum = bytes.reduce(0) { $0 + Int($1) }
    put(sum, 148, 7)
    bytes[154] = 0
    bytes[155] = 0x20
    return bytes
  }
}
