import Foundation
import MailHost
import TestSupport
import Testing

private let root = Generation.Attributes(mode: 0o640, owner: "root", group: "root")
private let settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
private let places = SnapshotPlaces(
  settings, settingsFile: "/etc/mailboot/mailhost.toml", mailbootFile: "/etc/mailboot/mailboot.toml")

private func entry(
  _ name: String, _ kind: SnapshotEntry.Kind = .file, _ bytes: [UInt8] = [], target: String = "",
  modified: String = "2026-11-30T20:00:00Z"
) -> SnapshotEntry {
  SnapshotEntry(
    name: name, path: "/" + name, kind: kind, bytes: bytes, target: target, attributes: root, modified: modified)
}

private func snapshot(_ entries: [(SnapshotEntry, [UInt8])]) -> Snapshot {
  Snapshot(
    manifest: SnapshotManifest(
      program: "mailhost", host: "mail.example.org", taken: "2026-11-30T20:00:00Z", entries: entries.map(\.0)),
    contents: Dictionary(uniqueKeysWithValues: entries.filter { $0.0.kind == .file }.map { ($0.0.name, $0.1) }))
}

private let many: Snapshot = {
  let long = "sieve/" + String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 200) + ".sieve"
  let files: [(String, [UInt8])] = [
    ("keys/a.key", []), ("keys/b.key", Array(repeating: 7, count: 512)), ("sieve/üñí.sieve", [1]),
    (long, Array(repeating: 9, count: 7_001)),
  ]
  return snapshot(
    [(entry("keys", .directory), [])] + files.map { (entry($0.0, .file, $0.1), $0.1) }
      + [(entry("sieve/active.sieve", .link, target: String(repeating: "t/", count: 80) + "ü"), [])])
}()

private func archive(_ snapshot: Snapshot) -> [UInt8] {
  var bytes: [UInt8] = []
  snapshot.write { bytes += $0 }
  return bytes
}

/// - Parameter piece: bytes at once.
private func read(_ bytes: some Collection<UInt8>, piece: Int = 65536) throws(SnapshotFault) -> Snapshot {
  var reader = TarReader(limit: 1 << 20)
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    try reader.take(Array(rest.prefix(piece)))
    rest = rest.dropFirst(piece)
  }
  try reader.finish()
  return try Snapshot(reader.members)
}

/// The archive of a snapshot, and where its files belong.
struct SnapshotArchiveTests {
  @Test(arguments: [100, 512, 513, 65536])
  func whatIsWrittenIsRead(_ piece: Int) throws {
    #expect(try read(archive(many), piece: piece) == many)
  }

  @Test func tarReadsIt() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("a.tar", Data(archive(many)))
    let said = try told("/bin/tar", ["-C", directory.path, "-xf", file])
    #expect(said.status == 0 && said.said.isEmpty, "\(said.said)")
    for (name, bytes) in many.contents {
      #expect(FileManager.default.contents(atPath: directory.file(name)) == Data(bytes), "\(name)")
    }
    let link = many.manifest.entries.last
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: directory.file("sieve/active.sieve")) == link?.target)
    #expect(try told("/usr/bin/stat", ["-c", "%a", directory.file("keys/b.key")]).said == "640\n")
  }

  @Test func whatIsCutIsNoSnapshot() {
    let bytes = archive(many)
    // The last two blocks are the end.
    for cut in Array(stride(from: 0, to: 4096, by: 197)) + stride(from: 4096, to: bytes.count, by: 509)
      + [bytes.count - 1, bytes.count - 512, bytes.count - 513]
    {
      #expect(throws: SnapshotFault.self, "\(cut)") { try read(bytes.prefix(cut)) }
    }
    #expect(throws: SnapshotFault.self) { try read(bytes + bytes) }
  }

  @Test func noBitCanBeAnotherOne() {
    let bytes = archive(many)
    // The manifest says what the rest has to be; age says that it is the manifest.
    let start = bytes.dropFirst(512).firstIndex(of: 0) ?? 0
    #expect(start > 1024)
    for place in Array(0..<512) + stride(from: start, to: bytes.count, by: 31) {
      for bit in [0, 7] as [UInt8] {
        var altered = bytes
        altered[place] ^= 1 << bit
        // Either it is noticed, or it is one that means nothing, as between the files.
        if let same = try? read(altered) { #expect(same == many, "\(place)") }
      }
    }
  }

  @Test(arguments: [
    ("accounts/maildb.sqlite3", "/vault/maildb/maildb.sqlite3"), ("keys/a.key", "/vault/dkim/a.key"),
    ("sieve/a/b/c.sieve", "/vault/sieve/a/b/c.sieve"), ("settings/mailhost.toml", "/etc/mailboot/mailhost.toml"),
    ("settings/mailhost.toml.d/1.toml", "/etc/mailboot/mailhost.toml.d/1.toml"),
    ("settings/mailboot.toml", "/etc/mailboot/mailboot.toml"),
  ])
  func eachFileHasItsPlace(_ name: String, _ path: String) {
    #expect(places.path(of: entry(name)) == path)
  }

  @Test(arguments: [
    "/etc/passwd", "etc/passwd", "keys/../x", "keys/a/b", "keys/.", "keys//a", "keys/", "keys", "sieve",
    "sieve/../../x",
    "sieve/a\u{0}b", "sieve/a\nb", "accounts/x", "accounts", "settings/other", "settings/mailhost.toml.d/x.sh",
    "settings/mailhost.toml.d/.x.toml", "settings/mailhost.toml.d/a/x.toml", "settings/smarthost-password", "",
    "manifest.json", "sieve/a/x.svbin", "sieve/" + String(repeating: "x", count: 256),
  ])
  func whatBelongsNowhereIsRefused(_ name: String) {
    #expect(places.path(of: entry(name)) == nil)
  }

  @Test func onlyFiltersHaveLinksAndTheyLeadDown() {
    for target in ["scripts/a.sieve", "a"] {
      #expect(places.path(of: entry("sieve/x", .link, target: target)) == "/vault/sieve/x")
    }
    for target in ["/etc/passwd", "../x", "a/../../x", "", "a//b"] {
      #expect(places.path(of: entry("sieve/x", .link, target: target)) == nil)
    }
    for name in ["keys/a.key", "settings/mailhost.toml", "accounts/maildb.sqlite3"] {
      #expect(places.path(of: entry(name, .link, target: "a")) == nil)
    }
    #expect(places.path(of: entry("sieve/a", .directory)) == "/vault/sieve/a")
    #expect(places.path(of: entry("keys", .directory)) == "/vault/dkim")
    #expect(places.path(of: entry("keys/a", .directory)) == nil)
  }

  @Test func otherFilesOfTheSettingsHaveAPlaceWhereTheyAreNamed() throws {
    var own = settings
    own.smarthost = HostSettings.Smarthost(host: "smtp.example.net")
    own.smarthost?.passwordFile = "/etc/mailboot/smarthost"
    own.own.dovecot = "/etc/dovecot/own.conf"
    let places = SnapshotPlaces(own, settingsFile: "/a.toml", mailbootFile: "/b.toml")
    #expect(places.path(of: entry("settings/smarthost-password")) == "/etc/mailboot/smarthost")
    #expect(places.path(of: entry("settings/dovecot-extra.conf")) == "/etc/dovecot/own.conf")
  }

  @Test func whatIsNewerIsSeen() {
    let saved = entry("keys/a.key", .file, [1])
    func present(_ bytes: [UInt8], _ modified: String, mode: UInt32 = 0o640) -> PresentEntry {
      PresentEntry(
        kind: .file, bytes: bytes, attributes: Generation.Attributes(mode: mode, owner: "root", group: "root"),
        modified: modified)
    }
    #expect(saved.difference(to: nil) == .missing)
    #expect(saved.difference(to: present([1], "2027-01-01T00:00:00Z")) == .same)
    #expect(saved.difference(to: present([1], "2027-01-01T00:00:00Z", mode: 0o600)) == .attributes)
    #expect(saved.difference(to: present([2], "2026-11-30T19:59:59Z")) == .older)
    // Within one second nobody knows.
    #expect(saved.difference(to: present([2], "2026-11-30T20:00:00Z")) == .newer)
    #expect(saved.difference(to: PresentEntry(kind: .directory, attributes: root, modified: "")) == .unreadable)
  }
}
