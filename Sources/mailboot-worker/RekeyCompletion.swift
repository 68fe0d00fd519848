import CLinux
import Cryptsetup
import Glibc
import JSON
import Linux

/// Ends a re-encryption that was cut in its very last writes.
///
/// When every block has the new key, libcryptsetup (2.6.1) first destroys the old key's keyslots and only some writes later the
/// record of the re-encryption. Cut between the two, nothing is lost, but the library refuses the volume for ever: a record wants both
/// keys, and the old one is gone. What it would have written is known: the same header without the record.
enum RekeyCompletion {
  /// Does nothing to any other header.
  /// - Parameters:
  ///   - path: of the header.
  ///   - unused: leave a device alone that anything has open: its header may be changed at this moment.
  /// - Returns: whether the header was completed.
  @discardableResult
  static func run(at path: String, unused: Bool) -> Bool {
    // On a block device O_EXCL means: by nobody else, no mapping and no mount (open(2)).
    var status = stat()
    let isDevice = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFBLK
    if unused, !isDevice, (try? LUKSDevice.refuseOpen(path)) == nil { return false }
    let descriptor = mb_open(path, O_RDWR | O_CLOEXEC | (unused && isDevice ? O_EXCL : 0), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // So the library keeps others out that change a header in a file.
    if !isDevice, flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return false }
    guard let source = header(at: path, descriptor), let json = JSONText(parsing: jsonBytes(source.bytes)),
      let completed = completed(json)
    else { return false }
    let text = Array(completed.line().utf8)
    let size = source.bytes.count
    guard text.count < size - 4096 else { return false }
    func copy(_ magic: [UInt8], offset: UInt64) -> [UInt8] {
      var bytes = Array(source.bytes[..<4096]) + text + [UInt8](repeating: 0, count: size - 4096 - text.count)
      bytes.replaceSubrange(0..<6, with: magic)
      bytes.replaceSubrange(16..<24, with: big(source.sequence + 1))
      bytes.replaceSubrange(256..<264, with: big(offset))
      bytes.replaceSubrange(448..<512, with: [UInt8](repeating: 0, count: 64))
      bytes.replaceSubrange(448..<480, with: sha256(bytes))
      return bytes
    }
    let first = copy(HeaderMagic.primary, offset: 0)
    // What the library would not take alone is not written.
    guard HeaderCopies.isAccepted(first, length: UInt64(max(0, lseek(descriptor, 0, SEEK_END)))) else { return false }
    // One after the other: cut between them, one of the two is whole, and either opens here.
    let second = copy(HeaderMagic.secondary, offset: UInt64(size))
    return write(first, descriptor, at: 0) && write(second, descriptor, at: size)
  }

  private struct Header {
    var bytes: [UInt8]
    var sequence: UInt64
  }

  /// The newest copy whose checksum is right, and is of the kind that is written here.
  private static func header(at path: String, _ descriptor: Int32) -> Header? {
    guard let copies = try? HeaderCopies(of: path), let newest = copies.newest, let sequence = newest.sequence,
      let size = copies.copies.last?.offset
    else { return nil }
    let bytes = read(descriptor, at: newest.offset, count: size)
    guard bytes.count == size, bytes[72..<80].elementsEqual(Array("sha256".utf8) + [0, 0]) else { return nil }
    return Header(bytes: bytes, sequence: sequence)
  }

  private static func jsonBytes(_ header: [UInt8]) -> [UInt8] { Array(header[4096...].prefix { $0 != 0 }) }

  /// The metadata without the record of the re-encryption; nil: there is none, or blocks are left that have the old key.
  static func completed(_ json: JSONText) -> JSONText? {
    guard let segments = json["segments"]?.members, let digests = json["digests"]?.members,
      let keyslots = json["keyslots"]?.members, let tokens = json["tokens"]?.members,
      let config = json["config"]?.members,
      let required = json["config"]?["requirements"]?["mandatory"]?.strings, !required.isEmpty,
      // Anything else that is required stays so, and what that means is not known here.
      required.allSatisfy({ $0.hasPrefix("online-reencrypt") })
    else { return nil }
    // One segment, to the end, beside what it was and what it is to be: all of it is done.
    let data = segments.filter { ($0.1["flags"]?.strings ?? []).isEmpty }
    let final = segments.first { $0.1["flags"]?.strings == ["backup-final"] }
    guard data.count == 1, segments.count == 3, data[0].1["size"] == .string("dynamic"),
      data[0].1["type"] == .string("crypt"), let final,
      // Of a re-encryption that keeps the key nothing else tells its beginning from its end.
      data[0].1.isAs(final.1, but: "flags"),
      let new = digests.first(where: { $0.1["segments"]?.strings.contains(data[0].0) ?? false }),
      new.1["segments"]?.strings.contains(final.0) ?? false,
      let kept = new.1["keyslots"]?.strings, keyslots.contains(where: { kept.contains($0.0) }),
      let record = keyslots.first(where: { $0.1["type"] == .string("reencrypt") })?.0
    else { return nil }
    let old = digests.filter { digest in
      !(digest.1["segments"]?.strings ?? []).isEmpty && digest.0 != new.0
        || digest.1["keyslots"]?.strings.contains(record) ?? false
    }
    let gone = Set(old.flatMap { $0.1["keyslots"]?.strings ?? [] })
    guard gone.isDisjoint(with: kept) else { return nil }
    return json.replacing([
      "keyslots": .object(keyslots.filter { !gone.contains($0.0) }),
      "tokens": .object(
        tokens.map { name, token in
          let left = (token["keyslots"]?.strings ?? []).filter { !gone.contains($0) }
          return (name, token.replacing(["keyslots": .array(left.map { .string($0) })]))
        }),
      "segments": .object(data),
      "digests": .object(
        digests.filter { digest in !old.contains { $0.0 == digest.0 } }.map { name, digest in
          name == new.0 ? (name, digest.replacing(["segments": .array([.string(data[0].0)])])) : (name, digest)
        }),
      "config": .object(config.filter { $0.0 != "requirements" }),
    ])
  }

  private static func read(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    let got = pread(descriptor, &buffer, count, off_t(offset))
    return got < 0 ? [] : Array(buffer.prefix(got))
  }

  private static func write(_ bytes: [UInt8], _ descriptor: Int32, at offset: Int) -> Bool {
    lseek(descriptor, off_t(offset), SEEK_SET) >= 0 && writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
  }

  private static func big(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  }
}

extension JSONText {
  fileprivate var members: [(String, JSONText)]? { if case .object(let members) = self { members } else { nil } }

  fileprivate var strings: [String] {
    guard case .array(let items) = self else { return [] }
    return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  /// Whether an object has the same members, in whatever order.
  fileprivate func isAs(_ other: JSONText, but left: String) -> Bool {
    guard let mine = members?.filter({ $0.0 != left }), let theirs = other.members?.filter({ $0.0 != left }) else {
      return false
    }
    return mine.count == theirs.count
      && mine.allSatisfy { member in theirs.contains { $0.0 == member.0 && $0.1 == member.1 } }
  }

  fileprivate func replacing(_ values: [String: JSONText]) -> JSONText {
    .object((members ?? []).map { ($0.0, values[$0.0] ?? $0.1) })
  }
}
