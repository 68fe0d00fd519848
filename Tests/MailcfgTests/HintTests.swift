import Foundation
import Testing

/// What is advised can be pasted: it acts on the database of the call, and names in it are words, not commands.
struct HintTests {
  private func hints(_ mailcfg: Mailcfg) throws -> [String] {
    struct Finding: Decodable { var hint: String? }
    let json = try mailcfg("check", "--format", "json").output
    return try JSONDecoder().decode([Finding].self, from: Data(json.utf8)).compactMap(\.hint)
  }

  @Test func theHintsOfACheckAreForTheDatabaseThatWasChecked() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (7, 1, 'info@example.org', 'nobody@example.org');")
    let hints = try hints(mailcfg).filter { $0.hasPrefix("mailcfg ") || $0.contains("`mailcfg ") }
    #expect(hints.contains("mailcfg rmalias -id 7 --db \(mailcfg.database)"))
    #expect(hints.allSatisfy { $0.contains("--db \(mailcfg.database)") }, "\(hints)")
    #expect(try mailcfg("check").output.contains("hint: mailcfg rmalias -id 7 --db \(mailcfg.database)\n"))
  }

  @Test func aHintMayBePastedInAnotherDirectory() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg.run(
      "/bin/sh", ["-c", #"cd "$1" && "$0" check --db maildb.sqlite3"#, try Mailcfg.path, mailcfg.directory])
    #expect(run.output.contains("hint: mailcfg passwd joe@example.org --db \(mailcfg.database)\n"), "\(run.output)")
  }

  @Test func warningsAreForTheDatabaseOfTheCallToo() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg("addalias", "joe@example.org", "other@elsewhere.example")
    #expect(
      run.complaint.contains("`mailcfg addalias joe@example.org joe@example.org --db \(mailcfg.database)`"),
      "\(run.complaint)")
  }

  @Test func aNameInACommandIsOneWord() throws {
    let mailcfg = try Mailcfg(
      """
      INSERT INTO users VALUES (2, 1, 'x', 'a&b@example.org', 1), (3, 1, 'x', 'x;reboot;@example.org', 1),
        (4, 1, 'x', '-x@example.org', 1), (5, 1, 'x', 'two' || char(10) || 'lines@example.org', 1);
      """)
    let hints = try hints(mailcfg)
    let end = "--db \(mailcfg.database)"
    #expect(hints.contains("mailcfg passwd 'a&b@example.org' \(end)"), "\(hints)")
    #expect(hints.contains("mailcfg passwd 'x;reboot;@example.org' \(end)"))
    #expect(hints.contains("mailcfg passwd \(end) -- -x@example.org"))
    #expect(hints.contains(#"mailcfg passwd $'two\x0alines@example.org' \#(end)"#))
    // As somebody would paste them: they are about these users, and nothing else happens.
    for hint in hints where hint.hasPrefix("mailcfg passwd ") {
      let words = hint.replacingOccurrences(of: "mailcfg passwd ", with: "\"$0\" passwd --generate --dry-run ")
      let pasted = try mailcfg.run("/bin/bash", ["-c", words, try Mailcfg.path])
      #expect(pasted.status == 0 && pasted.output.hasPrefix("~ user ") && pasted.lines.count == 1, "\(hint): \(pasted)")
    }
  }

  @Test func aPathInACommandIsOneWord() throws {
    let mailcfg = try Mailcfg()
    let path = mailcfg.directory + "/a b"
    try Data(repeating: 0x41, count: 500).write(to: URL(fileURLWithPath: path))
    #expect(try mailcfg.call(["lsdom", "--db", path]).complaint.contains("`file '\(path)'`"))
  }

  /// Names that were stored by others do not act on a terminal, and do not add lines.
  @Test func storedNamesStayInTheirLines() throws {
    let mailcfg = try Mailcfg(
      """
      INSERT INTO domains VALUES (2, 'a.example' || char(10) || 'example.net (id 9)');
      INSERT INTO users VALUES (2, 1, 'x', 'a@example.org' || char(10) || 'root@example.org', 0),
        (3, 1, 'x', char(27) || ']0;owned' || char(7) || '@example.org', 1), (4, 1, 'x', char(155) || '2J@example.org', 1);
      INSERT INTO aliases VALUES (5, 1, char(27) || ']0;owned' || char(7) || '@example.org', 'x' || char(10) || '9');
      """)
    for call in [
      ["lsuser"], ["lsdom"], ["lsalias"], ["schemes"], ["lsuser", "--format", "tsv"], ["lsalias", "--format", "tsv"],
      ["schemes", "--format", "tsv"], ["check"], ["check", "--format", "tsv"], ["lsuser", "--format", "json"],
    ] {
      let run = try mailcfg.call(call + ["--db", mailcfg.database])
      #expect(
        !run.output.contains("\u{1b}") && !run.output.contains("\u{7}") && !run.output.contains("\u{9b}"), "\(call)")
      #expect(!run.lines.contains { $0.hasPrefix("root@") || $0.hasPrefix("example.net") }, "\(call)")
    }
    #expect(try mailcfg("lsalias").output == "5\t\\x1b]0;owned\\x07@example.org\tx\\n9\n")
    let removed = try mailcfg("rmdom", "example.org", "--dry-run")
    #expect(removed.lines.count == 6, "\(removed.output)")
  }
}
