import JSON

/// What is in a snapshot: its first file, `manifest.json`.
public struct SnapshotManifest: Codable, Equatable, Sendable {
  public static let name = "manifest.json"

  public var schema = 1
  /// What has made it: `mailhost 1.0`.
  public var program: String
  /// `mail_server_hostname`.
  public var host: String
  /// RFC 3339.
  public var taken: String
  /// Directories before what is in them.
  public var entries: [SnapshotEntry]

  public init(program: String, host: String, taken: String, entries: [SnapshotEntry]) {
    self.program = program
    self.host = host
    self.taken = taken
    self.entries = entries
  }

  public func entries(of part: SnapshotPart) -> [SnapshotEntry] { entries.filter { $0.part == part } }
}

/// Why what was decrypted is no snapshot, or none that is whole.
public struct SnapshotFault: Error, Equatable, Sendable {
  public var text: String

  public init(_ text: String) { self.text = text }
}

/// A snapshot with all that is in it.
public struct Snapshot: Equatable, Sendable {
  public var manifest: SnapshotManifest
  /// By name; of each file.
  public var contents: [String: [UInt8]]

  /// Of a snapshot in memory: more is not made, and not read.
  public static let limit = 512 << 20

  public init(manifest: SnapshotManifest, contents: [String: [UInt8]]) {
    self.manifest = manifest
    self.contents = contents
  }

  /// Hands out its archive in pieces.
  /// - Throws: what `take` throws.
  public func write<E: Error>(_ take: ([UInt8]) throws(E) -> Void) throws(E) {
    let text = (try? JSONText(encoding: manifest).rendered()) ?? ""
    let bytes = Array((text + "\n").utf8)
    try take(
      TarArchive.member(
        SnapshotEntry(
          name: SnapshotManifest.name, path: "", kind: .file, bytes: bytes,
          attributes: Generation.Attributes(mode: 0o600, owner: "root", group: "root"), modified: manifest.taken)))
    try take(TarArchive.padded(bytes))
    for entry in manifest.entries {
      try take(TarArchive.member(entry))
      if entry.kind == .file { try take(TarArchive.padded(contents[entry.name] ?? [])) }
    }
    try take(TarArchive.end)
  }

  /// What an archive has: the manifest first, then exactly what it names, each as it says.
  public init(_ members: [TarMember]) throws(SnapshotFault) {
    guard let first = members.first, first.name == SnapshotManifest.name, first.kind == .file else {
      throw SnapshotFault("it has no manifest: it is no snapshot of mailhost")
    }
    guard let text = JSONText(parsing: first.bytes) else { throw SnapshotFault("its manifest cannot be read") }
    guard text["schema"] == .integer(1) else { throw SnapshotFault("a later version of mailhost has made it") }
    guard let manifest = try? text.decoded(as: SnapshotManifest.self) else {
      throw SnapshotFault("its manifest cannot be read")
    }
    self.manifest = manifest
    contents = [:]
    guard members.count == manifest.entries.count + 1 else {
      throw SnapshotFault("it has other files than its manifest")
    }
    var names: Set<String> = []
    for (entry, member) in zip(manifest.entries, members.dropFirst()) {
      guard entry.name == member.name, entry.kind == member.kind, entry.target == member.target else {
        throw SnapshotFault("it has other files than its manifest: \(member.name)")
      }
      guard entry.kind != .file || entry.matches(member.bytes) else {
        throw SnapshotFault("\(entry.name) is not as its manifest says")
      }
      guard names.insert(entry.name).inserted else { throw SnapshotFault("it has \(entry.name) twice") }
      if entry.kind == .file { contents[entry.name] = member.bytes }
    }
  }
}
