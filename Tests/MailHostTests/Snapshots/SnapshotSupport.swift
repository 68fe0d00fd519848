import Foundation
import MailHost
import TestSupport
import Testing

/// Runs a program of the system.
/// - Returns: what it says, of mistakes last.
@discardableResult
func told(_ path: String, _ arguments: [String]) throws -> (status: Int32, said: String) {
  let outcome = try run(path, arguments)
  return (outcome.status, String(decoding: outcome.output, as: UTF8.self) + outcome.said)
}

/// A mail host below a directory with a key of age, and what is made of it.
final class SnapshotTree {
  let tree: HostTree
  let directory: TemporaryDirectory
  let identity: String
  let recipient: String
  /// Where snapshots are made.
  let file: String

  static let database = "/vault/maildb/maildb.sqlite3"
  static let key = "/vault/dkim/example.org.202001.key"
  static let filter = "/vault/sieve/example.org/alice/scripts/mine.sieve"
  static let active = "/vault/sieve/example.org/alice/active.sieve"

  init() throws {
    tree = try HostTree.applied()
    directory = try TemporaryDirectory()
    identity = directory.file("key.txt")
    file = directory.file("host.age")
    #expect(try told("/usr/bin/age-keygen", ["-o", identity]).status == 0)
    recipient = try told("/usr/bin/age-keygen", ["-y", identity]).said.trimmingCharacters(in: .whitespacesAndNewlines)
    try tree.write(Self.filter, "keep;\n")
    try FileManager.default.createSymbolicLink(
      atPath: tree.path + Self.active, withDestinationPath: "scripts/mine.sieve")
  }

  @discardableResult
  func snapshot(_ words: [String] = [], stop: Int? = nil) throws -> HostTree.Outcome {
    try tree.mailhost(["snapshot", "--recipient", recipient, file] + words, stop: stop)
  }

  func restore(_ words: [String] = [], stop: Int? = nil) throws -> HostTree.Outcome {
    try tree.mailhost(["restore", "--identity", identity, file] + words, stop: stop)
  }

  func verify(_ file: String? = nil) throws -> MailhostRun {
    try MailhostRun(["verify-snapshot", "--identity", identity, file ?? self.file])
  }

  /// Everything that a snapshot has, with owner, mode and contents; the accounts as SQL.
  func state() throws -> [String: String] {
    var state: [String: String] = [:]
    let places = ["/vault/dkim", "/vault/sieve", "/etc/mailboot"]
    for place in places {
      for name in FileManager.default.subpaths(atPath: tree.path + place) ?? [] where !name.contains(".before-restore-")
      {
        let path = "\(place)/\(name)"
        let said = try told("/usr/bin/stat", ["-c", "%A %U %G %N", tree.path + path]).said
        // Of a link where it leads to.
        let text = said.hasPrefix("-") ? tree.text(path) : nil
        state[path] = said.replacingOccurrences(of: tree.path, with: "") + (text ?? "")
      }
    }
    let database = tree.path + Self.database
    if FileManager.default.fileExists(atPath: database) {
      state[Self.database] = try told("/usr/bin/sqlite3", [database, ".dump"]).said
    }
    return state
  }

  /// Changes everything that there is: gone, older, newer, with another mode.
  func spoil() throws {
    try tree.sql("DELETE FROM users; INSERT INTO domains(name) VALUES ('other.example')")
    try told("/bin/rm", [tree.path + Self.key, tree.path + Self.active])
    try tree.write(Self.filter, "discard;\n")
    try told("/usr/bin/touch", ["-d", "2020-01-01", tree.path + Self.filter])
    try told("/bin/chmod", ["0600", tree.path + "/etc/mailboot/mailhost.toml"])
  }

  /// A snapshot that somebody else has packed, of what is in a directory, the manifest first.
  func pack(_ directory: String, _ names: [String]) throws -> String {
    let forged = self.directory.file("forged.age")
    let said = try told(
      "/bin/sh",
      [
        "-c",
        "rm -f \(forged); tar -C \(directory) --format=ustar --no-recursion -cf - \(names.joined(separator: " ")) | age -r \(recipient) -o \(forged)",
      ])
    #expect(said.status == 0, "\(said.said)")
    return forged
  }

  /// Puts back a snapshot that somebody else has made of this one, who has the public key.
  func restore(
    _ words: [String], forgedBy change: (inout Snapshot) -> Void
  ) throws -> HostTree.Outcome {
    let tar = directory.file("forged.tar")
    let forged = directory.file("forged.age")
    #expect(try told("/bin/sh", ["-c", "age -d -i \(identity) \(file) > \(tar)"]).status == 0)
    var reader = TarReader(limit: 1 << 24)
    try reader.take(Array(try Data(contentsOf: URL(fileURLWithPath: tar))))
    try reader.finish()
    var snapshot = try Snapshot(reader.members)
    change(&snapshot)
    var bytes: [UInt8] = []
    snapshot.write { bytes += $0 }
    try Data(bytes).write(to: URL(fileURLWithPath: tar))
    #expect(try told("/bin/sh", ["-c", "age -r \(recipient) -o \(forged) \(tar)"]).status == 0)
    defer { for path in [tar, forged] { try? FileManager.default.removeItem(atPath: path) } }
    return try tree.mailhost(["restore", "--identity", identity, forged] + words)
  }

  /// What is in the snapshot, below a directory, as tar(1) and age(1) unpack it, and its names in order.
  func unpacked() throws -> (path: String, names: [String]) {
    let path = directory.file("plain")
    let said = try told(
      "/bin/sh", ["-c", "mkdir -p \(path) && age -d -i \(identity) \(file) | tar -C \(path) -xvf -"])
    #expect(said.status == 0, "\(said.said)")
    return (path, said.said.split(separator: "\n").map(String.init))
  }
}

extension Snapshot {
  /// Puts a file into it, instead of one of that name.
  mutating func set(
    _ name: String, _ text: String, mode: UInt32 = 0o644, owner: String = "root",
    modified: String = "2020-01-01T00:00:00Z"
  ) {
    let bytes = Array(text.utf8)
    let entry = SnapshotEntry(
      name: name, path: "/" + name, kind: .file, bytes: bytes,
      attributes: Generation.Attributes(mode: mode, owner: owner, group: owner), modified: modified)
    if let index = manifest.entries.firstIndex(where: { $0.name == name }) {
      manifest.entries[index] = entry
    } else {
      manifest.entries.append(entry)
    }
    contents[name] = bytes
  }
}
