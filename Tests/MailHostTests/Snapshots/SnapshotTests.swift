import Foundation
import JSON
import TestSupport
import Testing

/// `mailhost snapshot` and `mailhost verify-snapshot`.
@Suite(.serialized)
struct SnapshotTests {
  @Test func aSnapshotIsWholeAndOpensWithoutUs() throws {
    let scene = try SnapshotTree()
    let before = try scene.state()
    let made = try scene.snapshot()
    #expect(made.status == 0 && made.errors.isEmpty, "\(made)")
    #expect(made.output.hasPrefix("wrote \(scene.file), "), "\(made)")
    #expect(made.output.contains("\n  accounts  1 domain, 1 user, 5 aliases\n"), "\(made)")
    #expect(try told("/usr/bin/stat", ["-c", "%a", scene.file]).said == "600\n")
    #expect(try scene.state() == before)

    let verified = try scene.verify()
    #expect(verified.status == 0 && verified.complaint.isEmpty, "\(verified.complaint)")
    #expect(verified.lines.first?.hasPrefix("snapshot of mail.example.org, taken 20") == true)
    #expect(verified.lines.last == "whole: every file is as it was saved")
    #expect(verified.lines.allSatisfy { $0.count < 80 })

    let (plain, names) = try scene.unpacked()
    #expect(names.first == "manifest.json")
    #expect(
      Set(["accounts/maildb.sqlite3", "keys/example.org.202001.key", "settings/mailhost.toml"]).isSubset(of: names))
    let key = try String(contentsOfFile: "\(plain)/keys/example.org.202001.key", encoding: .utf8)
    #expect(key == scene.tree.text(SnapshotTree.key))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(plain)/sieve/example.org/alice/active.sieve")
        == "scripts/mine.sieve")
    #expect(
      try told("/usr/bin/sqlite3", ["\(plain)/accounts/maildb.sqlite3", "SELECT email FROM users"]).said
        == "alice@example.org\n")
  }

  /// A key that several hosts have, a drop-in of some other program's.
  @Test func aLinkOfRootsIsSavedAsTheFileItLeadsTo() throws {
    let scene = try SnapshotTree()
    func link(_ path: String, to target: String) throws {
      _ = try? FileManager.default.removeItem(atPath: scene.tree.path + path)
      try FileManager.default.createSymbolicLink(atPath: scene.tree.path + path, withDestinationPath: target)
    }
    let key = try #require(scene.tree.text(SnapshotTree.key))
    try scene.tree.write("/etc/keys/shared.key", key)
    try link("/etc/keys/now.key", to: "../keys/shared.key")
    try link(SnapshotTree.key, to: "/etc/keys/now.key")
    try scene.tree.write("/etc/other/x.toml", "# linked\n")
    let dropIn = "/etc/mailboot/mailhost.toml.d/10-x.toml"
    try scene.tree.makeDirectory("/etc/mailboot/mailhost.toml.d")
    try link(dropIn, to: "../../other/x.toml")
    let made = try scene.snapshot()
    #expect(made.status == 0 && made.errors.isEmpty, "\(made)")
    let (plain, _) = try scene.unpacked()
    #expect(try String(contentsOfFile: plain + "/keys/example.org.202001.key", encoding: .utf8) == key)
    #expect(
      try String(contentsOfFile: plain + "/settings/mailhost.toml.d/10-x.toml", encoding: .utf8) == "# linked\n")
    #expect(try scene.restore().status == 0, "what it leads to is as it was saved")
    try told("/bin/rm", [scene.tree.path + SnapshotTree.key, scene.tree.path + dropIn])
    #expect(try scene.restore(["--write"]).status == 0)
    #expect(scene.tree.text(SnapshotTree.key) == key && scene.tree.text(dropIn) == "# linked\n")
  }

  @Test func aLinkThatCannotBeFollowedIsSaid() throws {
    let scene = try SnapshotTree()
    let key = scene.tree.path + SnapshotTree.key
    try told("/bin/sh", ["-c", "mv \(key) \(key)s && ln -s example.org.202001.keys \(key) && chown -h 990 \(key)"])
    let made = try scene.snapshot()
    #expect(made.status == 0)
    #expect(made.errors.contains("left out: \(SnapshotTree.key) is a link that does not belong to root"), "\(made)")
    #expect(made.errors.contains("it has no key to sign the mail of example.org"), "\(made)")
    let verified = try scene.verify()
    #expect(verified.lines.contains("note: it has no key to sign the mail of example.org"), "\(verified.output)")
    try told("/bin/rm", [key])
    try told("/bin/ln", ["-s", "gone.key", key])
    #expect(try scene.snapshot(["--replace"]).errors.contains("which is not there"))
  }

  @Test func whatIsThereIsNotReplacedUnasked() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let first = FileManager.default.contents(atPath: scene.file)
    let again = try scene.snapshot()
    #expect(again.status == 1)
    #expect(again.errors.contains("is there already; nothing was written"), "\(again)")
    #expect(FileManager.default.contents(atPath: scene.file) == first)
    #expect(try scene.snapshot(["--replace"]).status == 0)
    #expect(FileManager.default.contents(atPath: scene.file) != first)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: scene.file))
    #expect(try scene.snapshot(["--replace"]).errors.contains("no encrypted file of age"))
    #expect(try String(contentsOfFile: scene.file, encoding: .utf8) == "mine")
    // A directory takes one after the other.
    let made = try scene.tree.mailhost(["snapshot", "--recipient", scene.recipient, scene.directory.path])
    #expect(made.status == 0)
    #expect(try scene.directory.names().contains { $0.hasPrefix("mail.example.org-20") && $0.hasSuffix("Z.age") })
  }

  @Test func aKilledCallLeavesNoHalfSnapshot() throws {
    let scene = try SnapshotTree()
    for stop in 1...2 {
      #expect(try scene.snapshot(stop: stop).status == -SIGKILL)
      #expect(!FileManager.default.fileExists(atPath: scene.file))
    }
    #expect(try scene.snapshot().status == 0)
    #expect(try scene.directory.names() == ["host.age", "key.txt"])
    #expect(try scene.verify().status == 0)
  }

  @Test func aFullDiskLeavesNoHalfSnapshot() throws {
    let scene = try SnapshotTree()
    let small = scene.directory.file("small")
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
    #expect(try told("/bin/mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", small]).status == 0)
    defer { _ = try? told("/bin/umount", [small]) }
    let full = try scene.tree.mailhost(["snapshot", "--recipient", scene.recipient, small + "/host.age"])
    #expect(full.status == 1)
    #expect(full.errors.contains("was not written: No space left on device"), "\(full)")
    #expect(full.errors.contains("hint: make room on that disk"), "\(full)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: small).isEmpty)
  }

  @Test func onlyPublicKeysOfAgeAreTaken() throws {
    let scene = try SnapshotTree()
    let wrong = try scene.tree.mailhost(["snapshot", "--recipient", "age1abc", scene.file])
    #expect(wrong.status == 64 && wrong.errors.contains("age1abc is no public key of age"), "\(wrong)")
    let both = try scene.snapshot(["--stdin"])
    #expect(both.status == 64, "\(both)")
    // Nobody is there to be asked.
    let nobody = try scene.tree.mailhost(["snapshot", "--stdin", scene.file])
    #expect(nobody.status == 64 && nobody.errors.contains("is empty"), "\(nobody)")
    #expect(!FileManager.default.fileExists(atPath: scene.file))
  }

  @Test func aPassphraseOpensIt() throws {
    let scene = try SnapshotTree()
    let tree = scene.tree.path
    let program = try builtProgram("mailhost")
    func call(_ passphrase: String, _ words: String) throws -> (status: Int32, said: String) {
      try told("/bin/sh", ["-c", "printf '\(passphrase)' | \(program) \(words) 2>&1"])
    }
    let made = try call(
      "correct horse\\n",
      "snapshot --stdin --root \(tree) --config \(tree)/etc/mailboot/mailhost.toml --format json \(scene.file)")
    #expect(made.status == 0, "\(made.said)")
    let json = try #require(JSONText(parsing: Array(made.said.utf8)))
    #expect(json["schema"] == .integer(1) && json["counts"]?["users"] == .integer(1))
    #expect(json["host"]?.text == "mail.example.org" && json["problems"]?.items?.isEmpty == true)
    #expect(try call("correct horse", "verify-snapshot --stdin \(scene.file)").status == 0)
    let wrong = try call("wrong horse", "verify-snapshot --stdin \(scene.file)")
    #expect(wrong.status == 1 && wrong.said.contains("the key or passphrase does not open it"), "\(wrong.said)")
    #expect(try scene.verify().status == 64)
  }

  @Test func thePassphraseIsAskedForTwice() throws {
    let scene = try SnapshotTree()
    let tree = scene.tree.path
    let program = try builtProgram("mailhost")
    let ended = scene.directory.file("ended")
    func typed(_ answers: String, _ words: String) throws -> (status: Int32, said: String) {
      try told(
        "/bin/sh",
        [
          "-c",
          """
          rm -f \(ended)
          { printf '\(answers)'; n=0; while [ ! -e \(ended) ] && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.1; done; } |
            script -qec '\(program) \(words); status=$?; touch \(ended); exit $status' /dev/null
          """,
        ])
    }
    let made = try typed(
      "correct horse\\nwrong horse\\ncorrect horse\\ncorrect horse\\n",
      "snapshot --root \(tree) --config \(tree)/etc/mailboot/mailhost.toml \(scene.file)")
    #expect(made.status == 0 && made.said.contains("these were different"), "\(made.said)")
    #expect(!made.said.contains("horse\r\nOnce"), "no echo")
    let verified = try typed("wrong\\ncorrect horse\\n", "verify-snapshot \(scene.file)")
    #expect(verified.status == 0 && verified.said.contains("that is not its passphrase"), "\(verified.said)")
    // A yes at the terminal is enough.
    try told("/bin/rm", [tree + SnapshotTree.key])
    let restored = try typed(
      "correct horse\\ny\\n", "restore --root \(tree) --config \(tree)/etc/mailboot/mailhost.toml \(scene.file)")
    #expect(restored.status == 0 && restored.said.contains("Put this back? [y/N]"), "\(restored.said)")
    #expect(scene.tree.text(SnapshotTree.key) != nil)
  }

  @Test func whatIsCutOrAlteredIsRefused() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let whole = try Data(contentsOf: URL(fileURLWithPath: scene.file))
    let copy = scene.directory.file("copy.age")
    func expectRefused(_ data: Data, _ reason: String? = nil) throws {
      try data.write(to: URL(fileURLWithPath: copy))
      let said = try scene.verify(copy)
      #expect(said.status == 1 && !said.output.contains("whole"), "\(said.output)")
      if let reason { #expect(said.complaint.contains(reason), "\(said.complaint)") }
    }
    try expectRefused(Data(), "no file that was encrypted with age")
    try expectRefused(whole.prefix(40))
    try expectRefused(whole.prefix(190))
    try expectRefused(whole.prefix(whole.count / 2), "altered")
    try expectRefused(whole.dropLast(), "altered")
    try expectRefused(whole + Data([0]), "altered")
    var altered = whole
    altered[whole.count - 100] ^= 4
    try expectRefused(altered, "it was altered after it was written")
    let other = try TemporaryDirectory()
    try told("/usr/bin/age-keygen", ["-o", other.file("key.txt")])
    let stranger = try MailhostRun(["verify-snapshot", "--identity", other.file("key.txt"), scene.file])
    #expect(stranger.status == 1 && stranger.complaint.contains("does not open it"))
    let nobody = try MailhostRun(["verify-snapshot", scene.file])
    #expect(nobody.status == 64 && nobody.complaint.contains("hint: --identity FILE"), "\(nobody.complaint)")
  }

  /// Whoever knows the public key can encrypt something for it.
  @Test func whatIsForgedIsRefused() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let (plain, names) = try scene.unpacked()
    func expectRefused(_ names: [String], _ reason: String, _ change: String = "true") throws {
      let copy = scene.directory.file("copy")
      #expect(
        try told("/bin/sh", ["-c", "rm -rf \(copy); cp -a \(plain) \(copy); cd \(copy) && \(change)"]).status == 0)
      let said = try scene.verify(try scene.pack(copy, names))
      #expect(said.status == 1 && said.complaint.contains(reason), "\(said.complaint)")
    }
    #expect(try scene.verify(try scene.pack(plain, names)).status == 0, "packed by tar as it was")
    try expectRefused(Array(names.dropFirst()), "no manifest")
    try expectRefused(Array(names.dropLast()), "other files than its manifest")
    try expectRefused(names + ["extra"], "other files than its manifest", "echo x > extra")
    try expectRefused(
      names, "is not as its manifest says", "echo x >> keys/example.org.202001.txt")
    try expectRefused(
      names + ["device"], "no file, directory or link", "mknod device c 1 3")
    try expectRefused(
      names + ["hard"], "no file, directory or link", "ln keys/example.org.202001.txt hard")
    try expectRefused(names, "its manifest cannot be read", "echo '{' > manifest.json")
    try expectRefused(names, "a later version", "sed -i 's/\"schema\": 1/\"schema\": 2/' manifest.json")
  }

  @Test func whatIsBrokenInItIsNamed() throws {
    let scene = try SnapshotTree()
    try scene.tree.write(SnapshotTree.key, "no key\n")
    let made = try scene.snapshot()
    #expect(made.status == 0)
    #expect(made.errors.contains("warning: keys/example.org.202001.key is"), "\(made)")
    let verified = try scene.verify()
    #expect(verified.status == 1)
    #expect(verified.complaint.contains("error: keys/example.org.202001.key is"), "\(verified.complaint)")

    // A damaged database is worth nothing in a snapshot.
    try told(
      "/bin/sh",
      [
        "-c",
        "head -c 3000 /dev/zero | tr '\\0' x | dd of=\(scene.tree.path)\(SnapshotTree.database) bs=1 seek=200 conv=notrunc",
      ])
    let refused = try scene.snapshot(["--replace"])
    #expect(refused.status == 1 && refused.errors.contains("damaged"), "\(refused)")
  }

  /// Somebody changes accounts and filters all the time, and somebody reads them and waits for no lock.
  @Test func itIsTakenWhileTheHostIsUsed() throws {
    let scene = try SnapshotTree()
    let database = scene.tree.path + SnapshotTree.database
    try scene.tree.sql(
      "INSERT INTO users(domain_id, email, password, active) SELECT id, 'anna@example.org', 'x', 1 FROM domains")
    let mailcfg = try builtProgram("mailcfg")
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    let filter = scene.tree.path + SnapshotTree.filter
    writer.arguments = [
      "-c",
      """
      n=0; while [ $n -lt 1000 ] && [ ! -e \(scene.directory.file("stop")) ]; do n=$((n+1))
      \(mailcfg) --db \(database) addalias a$n@example.org alice@example.org >/dev/null || exit 1
      echo "# $n" > \(filter).new; mv \(filter).new \(filter); done
      """,
    ]
    try writer.run()
    let reader = try DatabaseReader(database)
    var aliases: [Int] = []
    for number in 1...8 {
      let file = scene.directory.file("\(number).age")
      let made = try scene.tree.mailhost(["snapshot", "--recipient", scene.recipient, file])
      #expect(made.status == 0, "\(made)")
      let verified = try MailhostRun(
        ["verify-snapshot", "--format", "json", "--identity", scene.identity, file])
      #expect(verified.status == 0, "\(verified.complaint)")
      let json = try #require(JSONText(parsing: Array(verified.output.utf8)))
      aliases.append(Int(json["counts"]?["aliases"]?.number ?? 0))
    }
    reader.stop()
    try Data().write(to: URL(fileURLWithPath: scene.directory.file("stop")))
    writer.waitUntilExit()
    #expect(writer.terminationStatus == 0)
    #expect(aliases == aliases.sorted() && Set(aliases).count > 3, "\(aliases)")
    #expect(reader.answers > 100)
  }
}
