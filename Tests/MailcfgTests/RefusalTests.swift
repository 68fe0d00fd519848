import Foundation
import Testing

/// What cannot be done: a clear error, an exit code, and the database byte for byte as it was.
struct RefusalTests {
  @Test(
    arguments: [
      ([], 64), (["lsdmo"], 64), (["lsdom", "surplus"], 64), (["adddom"], 64), (["adduser"], 64), (["passwd"], 64),
      (["addalias", "a@example.org"], 64), (["rmalias"], 64), (["rmalias", "-id", "x"], 64),
      (["rmalias", "-id", "9"], 1),
      (["lsdom", "--unknown"], 64), (["lsdom", "--quota", "1G"], 64), (["lsuser", "--format", "xml"], 64),
      (["lsuser", "--enabled", "--disabled"], 64), (["adddom", ""], 64), (["adddom", "   "], 64),
      (["adddom", "a b.org"], 64),
      (["adddom", "a..org"], 64), (["adduser", "o'neil@example.org", "--generate"], 64),
      (["adduser", "a\nb@example.org", "--generate"], 64), (["adduser", "a b@example.org", "--generate"], 64),
      (["adduser", "josé@example.org", "--generate"], 64), (["adduser", "joe\u{200B}@example.org", "--generate"], 64),
      (["adduser", "@example.org", "--generate"], 64), (["adduser", "joe", "--generate"], 64),
      (["adduser", "joe@exаmple.org", "--generate"], 64), (["adduser", "ann@gmial.com", "--generate"], 1),
      (["adduser", String(repeating: "x", count: 300) + "@example.org", "--generate"], 64),
      (["adduser", "ann@example.org", "--generate", "--stdin"], 64), (["adduser", "ann@example.org"], 64),
      (["adduser", "ann@example.org", "--generate", "--quota", "much"], 64),
      (["adduser", "ann@example.org", "--generate", "--send-only", "--receive-only"], 64),
      (["adduser", "ann@example.org", "--generate", "--scheme", "ROT13"], 64),
      (["adduser", "ann@example.org", ""], 64), (["passwd", "joe@example.org", ""], 64),
      (["passwd", "joe@example.org", "--stdin"], 64), (["passwd", "nobody@example.org", "--generate"], 1),
      (["disable", "nobody@example.org"], 1), (["enable", "no body"], 64),
      (["rmuser", "nobody@example.org", "--yes"], 1),
      (["rmdom", "example.net", "--yes"], 1), (["set", "joe@example.org"], 64), (["verify", "joe@example.org"], 64),
      (["import", "/nonexistent"], 1), (["import", "-"], 1), (["addalias", "info@example.org", "a b"], 64),
      (["addalias", "info@example.net", "joe@example.org"], 1),
    ] as [([String], Int32)])
  func theDatabaseStaysAsItWas(_ call: [String], _ status: Int32) throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    let run = try mailcfg.call(call + ["--db", mailcfg.database])
    #expect(run.status == status)
    #expect(run.output == "")
    #expect(run.complaint.contains("error: "))
    #expect(try mailcfg.bytes() == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: mailcfg.directory) == ["maildb.sqlite3"])
  }

  @Test(arguments: [("lsdmo", "lsdom"), ("adusr", "adduser"), ("exprot", "export")])
  func aNearMissProposesTheVerb(_ typed: String, _ meant: String) throws {
    #expect(try Mailcfg()(typed).complaint.contains("hint: did you mean `mailcfg \(meant)`?"))
  }

  @Test func anUnknownDomainProposesToAddIt() throws {
    let mailcfg = try Mailcfg()
    let refused = try mailcfg("adduser", "ann@example.net", "--generate")
    #expect(refused.complaint.contains("mailcfg adddom example.net"))
    #expect(try mailcfg("adduser", "ann@example.net", "--generate", "--create-domain").status == 0)
    #expect(try mailcfg.rows("SELECT name FROM domains WHERE id=2") == ["example.net"])
  }

  @Test func aHintIsForTheDatabaseOfTheCall() throws {
    let mailcfg = try Mailcfg()
    let refused = try mailcfg("adduser", "ann@example.net", "--generate")
    #expect(refused.complaint.contains("`mailcfg adddom example.net --db \(mailcfg.database)`"), "\(refused.complaint)")
    let elsewhere = try mailcfg.call(["lsdom", "--db", mailcfg.directory + "/a b"])
    #expect(elsewhere.complaint.contains("`mailcfg adddom DOMAIN --db '\(mailcfg.directory)/a b'`"))
  }

  @Test func controlCharactersOfAnArgumentAreNotShown() throws {
    let run = try Mailcfg()("rmdom", "\u{1b}[2J.org", "--yes")
    #expect(run.status == 64 && !run.complaint.contains("\u{1b}"))
  }

  @Test func withoutTheVaultNothingIsDone() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg.call(["lsdom"])
    #expect(run.status == 1 && run.complaint.hasPrefix("error: /vault is not mounted\nhint: "))
    #expect(run.complaint.contains("`mailboot`"))
  }
}
