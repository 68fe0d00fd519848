import Linux

/// The MD5 sums of a configuration file as packages have installed it, by ucf's record and by dpkg's own, in hexadecimal.
///
/// - Parameters:
///   - path: of the file.
///   - root: where the records are; empty on a host.
func packagedMD5(of path: String, root: String = "") -> Set<String> {
  // ucf: `SUM  PATH`, of the text that the package had, whatever the administrator made of it.
  var sums = recordedSums(in: root + "/var/lib/ucf/hashfile") { words in
    words.count == 2 && words[1].elementsEqual(path.utf8) ? words[0] : nil
  }
  // dpkg: ` PATH SUM`, and perhaps `obsolete`, below `Conffiles:`.
  sums.formUnion(
    recordedSums(in: root + "/var/lib/dpkg/status") { words in
      words.count >= 2 && words[0].elementsEqual(path.utf8) ? words[1] : nil
    })
  return sums
}

/// Most lines of these files hold no path: only those that do are taken apart.
private func recordedSums(
  in file: String, _ sum: ([ArraySlice<UInt8>]) -> ArraySlice<UInt8>?
) -> Set<String> {
  let bytes = readSmallFile(file, limit: 256 << 20) ?? []
  let slash = UInt8(ascii: "/")
  var sums: Set<String> = []
  for line in bytes.split(separator: UInt8(ascii: "\n")) where line.contains(slash) {
    let words = line.split(separator: UInt8(ascii: " "))
    if let digits = sum(words), digits.count == 32 { sums.insert(String(decoding: digits, as: UTF8.self)) }
  }
  return sums
}
