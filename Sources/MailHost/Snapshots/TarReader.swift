/// A file of an archive.
public struct TarMember: Equatable, Sendable {
  public var name: String
  public var kind: SnapshotEntry.Kind
  public var target: String
  public var bytes: [UInt8]
}

/// Reads an archive that ``TarArchive`` has written; whatever else archives can have is refused.
public struct TarReader {
  public private(set) var members: [TarMember] = []
  private var buffer: [UInt8] = []
  /// Where in the buffer is what was not looked at.
  private var place = 0
  private var total = 0
  private let limit: Int
  /// What an extended header says of the next member.
  private var more: [String: String] = [:]
  private var pending: (member: TarMember, size: Int)?
  private var emptyBlocks = 0

  /// More than any tree of filters has.
  private static let mostMembers = 200_000
  private static let largestExtension = 65536

  /// - Parameter limit: bytes of the whole archive.
  public init(limit: Int) { self.limit = limit }

  public mutating func take(_ bytes: [UInt8]) throws(SnapshotFault) {
    total += bytes.count
    guard total <= limit else { throw SnapshotFault("it is larger than \(limit >> 20) MiB") }
    if place > 0 {
      buffer.removeFirst(place)
      place = 0
    }
    buffer += bytes
    while try step() {}
  }

  /// To be called at the end of the bytes.
  public func finish() throws(SnapshotFault) {
    guard emptyBlocks >= 2, pending == nil, place == buffer.count else { throw SnapshotFault("its archive has no end") }
  }

  /// - Returns: false when more bytes are needed.
  private mutating func step() throws(SnapshotFault) -> Bool {
    if let (member, size) = pending {
      let whole = (size + TarArchive.block - 1) / TarArchive.block * TarArchive.block
      guard buffer.count - place >= whole else { return false }
      let bytes = buffer[place..<place + size]
      place += whole
      pending = nil
      try end(member, Array(bytes))
      return true
    }
    guard buffer.count - place >= TarArchive.block else { return false }
    let header = Array(buffer[place..<place + TarArchive.block])
    place += TarArchive.block
    if header.allSatisfy({ $0 == 0 }) {
      emptyBlocks += 1
      return true
    }
    guard emptyBlocks == 0 else { throw SnapshotFault("its archive goes on after its end") }
    try read(header)
    return true
  }

  private mutating func read(_ header: [UInt8]) throws(SnapshotFault) {
    func text(_ place: Int, _ size: Int) -> String {
      String(decoding: header[place..<place + size].prefix { $0 != 0 }, as: UTF8.self)
    }
    func number(_ place: Int, _ size: Int) -> Int? {
      Int(text(place, size).trimmingSpaces, radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }
    var summed = header
    summed.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
    guard number(148, 8) == summed.reduce(0, { $0 + Int($1) }), header[257..<263].elementsEqual("ustar\u{0}".utf8),
      let size = number(124, 12), size <= limit
    else { throw SnapshotFault("its archive is damaged") }
    let type = Unicode.Scalar(header[156])
    if type == "x" {
      guard size <= Self.largestExtension, more.isEmpty else { throw SnapshotFault("its archive is damaged") }
      pending = (TarMember(name: "", kind: .file, target: "", bytes: []), size)
      return
    }
    let kinds: [SnapshotEntry.Kind] = [.file, .link, .directory]
    guard let kind = kinds.first(where: { TarArchive.type(of: $0) == type }), header[345] == 0 else {
      throw SnapshotFault("it has something that is no file, directory or link")
    }
    guard kind == .file || size == 0 else { throw SnapshotFault("its archive is damaged") }
    var name = more["path"] ?? text(0, 100)
    if kind == .directory, name.hasSuffix("/") { name.removeLast() }
    let target = more["linkpath"] ?? text(157, 100)
    more = [:]
    guard members.count < Self.mostMembers, !name.isEmpty else { throw SnapshotFault("its archive is damaged") }
    pending = (TarMember(name: name, kind: kind, target: kind == .link ? target : "", bytes: []), size)
  }

  private mutating func end(_ member: TarMember, _ bytes: [UInt8]) throws(SnapshotFault) {
    guard member.name.isEmpty else {
      var member = member
      member.bytes = bytes
      members.append(member)
      return
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2, length <= rest.count,
        rest[rest.startIndex + length - 1] == UInt8(ascii: "\n")
      else { throw SnapshotFault("its archive is damaged") }
      let record = String(decoding: rest.prefix(length - 1).dropFirst(digits.count + 1), as: UTF8.self)
      let parts = record.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, ["path", "linkpath", "uname", "gname"].contains(parts[0]) else {
        throw SnapshotFault("its archive is damaged")
      }
      more[parts[0]] = parts[1]
      rest = rest.dropFirst(length)
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    String(decoding: utf8.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed(), as: UTF8.self)
  }
}
