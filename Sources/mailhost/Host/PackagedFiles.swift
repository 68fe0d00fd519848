import Linux

/// The MD5 sums of configuration files as packages have installed them, by ucf's record and by dpkg's own, in hexadecimal.
struct PackagedFiles {
  private var sums: [String: Set<String>] = [:]

  /// - Parameter root: where the records are; empty on a host.
  init(root: String = "") {
    // ucf: `SUM  PATH`, of the text that the package had, whatever the administrator made of it.
    read(root + "/var/lib/ucf/hashfile") { words in words.count == 2 ? (words[1], words[0]) : nil }
    // dpkg: ` PATH SUM`, and perhaps `obsolete`, below `Conffiles:`.
    read(root + "/var/lib/dpkg/status") { words in words.count >= 2 ? (words[0], words[1]) : nil }
  }

  func sums(of path: String) -> Set<String> { sums[path] ?? [] }

  /// Most lines of these files hold no path: only those that do are taken apart.
  private mutating func read(
    _ file: String, _ entry: ([ArraySlice<UInt8>]) -> (path: ArraySlice<UInt8>, sum: ArraySlice<UInt8>)?
  ) {
    let slash = UInt8(ascii: "/")
    for line in (readSmallFile(file, limit: 256 << 20) ?? []).split(separator: UInt8(ascii: "\n"))
    where line.contains(slash) {
      guard let entry = entry(line.split(separator: UInt8(ascii: " "))), entry.path.first == slash,
        entry.sum.count == 32
      else { continue }
      sums[String(decoding: entry.path, as: UTF8.self), default: []].insert(String(decoding: entry.sum, as: UTF8.self))
    }
  }
}
