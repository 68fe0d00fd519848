import Linux

/// Checksums of configuration files as packages bring them: of dpkg's record, and of ucf's.
enum PackageChecksums {
  static func read(_ root: HostRoot) -> Set<String> {
    var known: Set<String> = []
    for line in (readSmallText(root.path("/var/lib/ucf/hashfile")) ?? "").split(separator: "\n") {
      if let sum = line.split(separator: " ").first { known.insert(String(sum)) }
    }
    guard let bytes = readSmallFile(root.path("/var/lib/dpkg/status"), limit: 256 << 20) else { return known }
    // " /etc/redis/redis.conf 0123…", below "Conffiles:".
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: " /etc/".utf8) {
      let words = line.split(separator: UInt8(ascii: " "))
      if words.count >= 2 { known.insert(String(decoding: words[1], as: UTF8.self)) }
    }
    return known
  }
}
