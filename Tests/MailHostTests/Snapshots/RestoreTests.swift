import Foundation
import JSON
import MailHost
import TestSupport
import Testing

/// `mailhost restore`.
@Suite(.serialized)
struct RestoreTests {
  @Test func nothingDiffersRightAfterwards() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let said = try scene.restore()
    #expect(said.status == 0 && said.errors.isEmpty, "\(said)")
    #expect(said.output.hasSuffix("nothing to do: all of it is as in the snapshot\n"), "\(said)")
  }

  @Test func whatIsNewerStaysUntilItIsNamed() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let before = try scene.state()
    // Timestamps have seconds.
    sleep(1)
    try scene.spoil()
    let spoilt = try scene.state()

    let shown = try scene.restore()
    #expect(shown.status == 2)
    #expect(try scene.state() == spoilt, "nothing is written unasked")
    for line in [
      "  newer    /vault/maildb/maildb.sqlite3", "           goes    domain other.example",
      "           comes   user alice@example.org", "  missing  \(SnapshotTree.key)",
      "  missing  \(SnapshotTree.active)",
      "  older    \(SnapshotTree.filter)", "  owner    /etc/mailboot/mailhost.toml",
      "nothing was changed; `--write` puts back 4 of 5",
      "newer or damaged here, and replaced only by name: `--overwrite accounts`",
    ] { #expect(shown.output.contains(line + "\n"), "\(line): \(shown.output)") }
    #expect(shown.output.split(separator: "\n").allSatisfy { $0.count < 80 }, "\(shown.output)")

    let written = try scene.restore(["--write"])
    #expect(written.status == 2, "\(written)")
    #expect(written.output.contains("put back 4 of 5\n"), "\(written)")
    var expected = before
    expected[SnapshotTree.database] = spoilt[SnapshotTree.database]
    #expect(try scene.state() == expected)

    let named = try scene.restore(["--write", "--overwrite", "accounts", "--format", "json"])
    #expect(named.status == 0, "\(named)")
    let json = try #require(JSONText(parsing: Array(named.output.utf8)))
    let database = json["files"]?.items?.first { $0["path"]?.text == SnapshotTree.database }
    #expect(database?["restored"] == .bool(true) && database?["here"]?.text == "newer")
    #expect(json["accounts"]?.items?.contains { $0["what"]?.text == "user alice@example.org" } == true)
    #expect(try scene.state() == before)
    #expect(try scene.restore(["--write"]).output.contains("nothing to do"))

    // What was replaced is still there.
    let aside = try FileManager.default.contentsOfDirectory(atPath: scene.tree.path + "/vault/maildb")
      .first { $0.contains(".before-restore-") }
    let path = "\(scene.tree.path)/vault/maildb/\(try #require(aside))"
    #expect(try told("/usr/bin/sqlite3", [path, "SELECT name FROM domains ORDER BY 1"]).said.contains("other.example"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scene.tree.path + "/vault/sieve/example.org/alice/scripts")
        .contains { $0.hasPrefix("mine.sieve.before-restore-") })
  }

  @Test func aKillAtAnyStepIsFinishedByTheNextCall() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let before = try scene.state()
    sleep(1)
    var steps = 0
    for stop in 1...60 {
      try scene.spoil()
      let spoilt = try scene.state()
      let words = ["--write", "--overwrite", "accounts"]
      let killed = try scene.restore(words, stop: stop)
      let between = try scene.state()
      if killed.status == 0 {
        #expect(between == before)
        break
      }
      steps += 1
      #expect(killed.status == -SIGKILL)
      // Each thing is as it was or as it is to be; what of SQLite's is left is undone by the next reader.
      for (path, text) in between where !path.hasSuffix(".mailhost") {
        #expect(text == spoilt[path] || text == before[path], "\(stop): \(path)")
      }
      let next = try scene.restore(words)
      #expect(next.status == 0, "\(stop): \(next)")
      #expect(try scene.state().filter { !$0.key.hasSuffix(".mailhost") } == before, "\(stop)")
    }
    #expect(steps >= 8, "\(steps)")
  }

  @Test(arguments: ["gone", "empty", "damaged", "with a journal"])
  func aLostDatabaseComesBack(_ how: String) throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let before = try scene.state()
    let database = scene.tree.path + SnapshotTree.database
    switch how {
    case "damaged":
      try told(
        "/bin/sh", ["-c", "tr '\\0' x </dev/zero | head -c 5000 | dd of=\(database) bs=1 seek=100 conv=notrunc"])
    // As dovecot leaves it, which opens what is not there.
    case "empty": try Data().write(to: URL(fileURLWithPath: database))
    case "gone": try FileManager.default.removeItem(atPath: database)
    default:
      // What an interrupted change has left would be written into the new file.
      _ = try told(
        "/bin/sh",
        [
          "-c",
          "printf 'BEGIN IMMEDIATE;\nDELETE FROM users;\n.shell kill -9 $PPID\n' | sqlite3 \(database); rm \(database)",
        ])
      #expect(FileManager.default.fileExists(atPath: database + "-journal"))
    }
    let shown = try scene.restore()
    #expect(shown.status == 2)
    #expect(
      shown.output.contains("  \(["damaged": "damaged", "empty": "empty  "][how] ?? "missing")  /vault"), "\(shown)")
    let written = try scene.restore(["--write"] + (how == "damaged" ? ["--overwrite", "accounts"] : []))
    #expect(written.status == 0, "\(written)")
    #expect(!FileManager.default.fileExists(atPath: database + "-journal"))
    #expect(try scene.state() == before)
    #expect(try told(builtProgram("mailcfg"), ["--db", database, "lsuser"]).said == "alice@example.org\n")
  }

  @Test func theSnapshotOfAnotherHostIsRefused() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let file = "/etc/mailboot/mailhost.toml"
    let text = try #require(scene.tree.text(file))
    try scene.tree.write(file, text.replacingOccurrences(of: "mail.example.org", with: "mx.example.net"))
    let refused = try scene.restore()
    #expect(refused.status == 1, "\(refused)")
    #expect(refused.errors.contains("hint: `--of-host mail.example.org` takes it nevertheless"), "\(refused)")
    #expect(try scene.restore(["--of-host", "mail.example.com"]).status == 64)
    #expect(try scene.restore(["--of-host", "mail.example.org"]).status == 2)
  }

  @Test func aLockedVaultIsSaidAndTheSettingsComeAlone() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    try scene.tree.lockVault()
    let locked = try scene.restore()
    #expect(locked.status == 13, "\(locked)")
    #expect(locked.errors.contains("settings`"), "\(locked)")
    #expect(try scene.snapshot(["--replace"]).status == 13)
    sleep(1)
    try told("/usr/bin/touch", ["-d", "2020-01-01", scene.tree.path + "/etc/mailboot/mailhost.toml"])
    let settings = try scene.restore(["settings", "--write"])
    #expect(settings.status == 0, "\(settings)")
    #expect(scene.tree.text("/etc/mailboot/mailhost.toml")?.contains("vault_type = \"none\"") == true)
  }

  @Test func aNewHostBeginsWithTheSettingsOfTheSnapshot() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let before = try scene.state()
    try told("/bin/rm", ["-r", scene.tree.path + "/etc/mailboot", scene.tree.path + "/vault"])
    let shown = try scene.restore()
    #expect(shown.status == 2)
    #expect(shown.errors.contains("first the settings are put back"), "\(shown)")
    #expect(try scene.restore(["keys"]).status == 1)
    // What it says of all other places counts only once it is the host's.
    let first = try scene.restore(["--write"])
    #expect(first.status == 2 && first.errors.contains("note: for the rest call this once more then"), "\(first)")
    #expect(!FileManager.default.fileExists(atPath: scene.tree.path + "/vault"))
    let written = try scene.restore(["--write"])
    #expect(written.status == 0, "\(written)")
    #expect(try scene.state() == before)
    #expect(try scene.tree.mailhost(["apply", "--no-test"]).status == 0)
  }

  @Test func brokenSettingsDoNotKeepTheirSnapshotOut() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let file = "/etc/mailboot/mailhost.toml"
    let before = scene.tree.text(file)
    try scene.tree.write(file, "mail_server_hostname = 3\n")
    #expect(try scene.snapshot(["--replace"]).status == 78)
    let shown = try scene.restore(["settings", "--write"])
    #expect(shown.status == 2 && shown.errors.contains("mailhost.toml:1:"), "\(shown)")
    #expect(try scene.restore(["settings", "--write", "--overwrite", file]).status == 0)
    #expect(scene.tree.text(file) == before)
  }

  /// The settings here do not name it, and those in the snapshot do.
  @Test func aFileThatTheSettingsNameComesWithThem() throws {
    let scene = try SnapshotTree()
    let file = "/etc/mailboot/mailhost.toml"
    let without = try #require(scene.tree.text(file))
    try scene.tree.write(
      file, without + "[smarthost]\nhost = \"smtp.example.net\"\npassword_file = \"/etc/mailboot/smarthost\"\n")
    try scene.tree.write("/etc/mailboot/smarthost", "[smtp.example.net]:587 user:password\n")
    #expect(try scene.snapshot().status == 0)
    try scene.tree.write(file, without)
    try told("/bin/rm", [scene.tree.path + "/etc/mailboot/smarthost"])
    let shown = try scene.restore()
    #expect(shown.status == 2 && shown.output.contains("  missing  /etc/mailboot/smarthost\n"), "\(shown)")
    #expect(try scene.restore(["settings", "--write", "--overwrite", "settings"]).status == 0)
    #expect(scene.tree.text("/etc/mailboot/smarthost")?.contains("user:password") == true)
  }

  @Test func nobodyIsGivenFilesWhoIsNotThere() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    try told("/bin/rm", [scene.tree.path + SnapshotTree.key])
    try scene.tree.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    let said = try scene.restore(["--write", "keys"])
    #expect(said.status == 1, "\(said)")
    #expect(said.errors.contains("there is no user _rspamd"), "\(said)")
    #expect(scene.tree.text(SnapshotTree.key) == nil)
  }

  @Test func theTableOfKeysNamesThoseOfThisHost() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let path = "/vault/dkim/signing.conf"
    let table = SigningTable(selectors: ["example.org": ["202001"]])
    let said = try scene.restore(["--write"]) { snapshot in
      snapshot.set("keys/signing.conf", table.text(directory: "/elsewhere/dkim"), mode: 0o640, owner: "_rspamd")
    }
    #expect(said.status == 0, "\(said)")
    #expect(scene.tree.text(path) == table.text(directory: "/vault/dkim"))
    #expect(try scene.tree.mailhost(["plan"]).status == 0)
    // Put there by hand.
    try scene.tree.write(path, table.text(directory: "/elsewhere/dkim"))
    let plan = try scene.tree.mailhost(["plan"])
    #expect(plan.status == 1, "\(plan)")
    #expect(plan.errors.contains("names keys in /elsewhere/dkim, not in /vault/dkim"), "\(plan)")
    #expect(plan.errors.contains("sed -i"), "\(plan)")
    let edited = try scene.restore(["--write", "keys"]) { snapshot in
      snapshot.set("keys/signing.conf", ".include \"/etc/shadow\"\n", mode: 0o640, owner: "_rspamd")
    }
    #expect(edited.status == 2 && edited.errors.contains("left out: \(path): it is none that"), "\(edited)")
  }

  /// Pigeonhole runs what it has compiled, unless the filter or the link to it is newer.
  @Test func nothingCompiledOfAnotherFilterStays() throws {
    let scene = try SnapshotTree()
    try told("/usr/bin/touch", ["-d", "2020-01-01", scene.tree.path + SnapshotTree.filter])
    #expect(try scene.snapshot().status == 0)
    let compiled = ["/scripts/mine.svbin", "/active.svbin"].map { "/vault/sieve/example.org/alice" + $0 }
    for path in compiled { try scene.tree.write(path, "compiled\n") }
    try scene.tree.write(SnapshotTree.filter, "discard;\n")
    try told("/bin/rm", [scene.tree.path + SnapshotTree.active])
    let said = try scene.restore(["--write", "--overwrite", SnapshotTree.filter])
    #expect(said.status == 0, "\(said)")
    #expect(scene.tree.text(SnapshotTree.filter) == "keep;\n")
    for path in compiled { #expect(scene.tree.text(path) == nil, "\(path)") }
    // A dovecot that opens it by another way has one elsewhere.
    let seconds = try told("/usr/bin/stat", ["-c", "%Y", scene.tree.path + SnapshotTree.filter]).said
    #expect(try #require(Double(seconds.dropLast())) > Date().timeIntervalSince1970 - 60)
    #expect(try scene.restore().status == 0)
  }

  /// Whoever has the user of the mail in his hands cannot have root write elsewhere.
  @Test func noWayLeadsThroughALink() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let elsewhere = scene.directory.file("elsewhere")
    let scripts = scene.tree.path + "/vault/sieve/example.org/alice"
    try told("/bin/sh", ["-c", "mkdir \(elsewhere) && rm -r \(scripts) && ln -s \(elsewhere) \(scripts)"])
    let said = try scene.restore(["--write", "sieve"])
    #expect(said.status == 2, "\(said)")
    #expect(said.output.contains("  damaged  /vault/sieve/example.org/alice\n"), "\(said)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
    #expect(try scene.restore(["--write", "--overwrite", "sieve", "sieve"]).status == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
    // Nor is what it leads to saved.
    try Data("secret".utf8).write(to: URL(fileURLWithPath: elsewhere + "/secret"))
    let made = try scene.snapshot(["--replace"])
    #expect(made.status == 0 && made.errors.contains("left out: /vault/sieve/example.org/alice leads to"), "\(made)")
  }
}
