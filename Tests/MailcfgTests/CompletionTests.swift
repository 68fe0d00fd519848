import Foundation
import TestSupport
import Testing

/// What the shells complete.
struct CompletionTests {
  private static let wholeWords = repositoryFile("packaging/completions/whole-words.bash").path

  /// What bash has to choose from after TAB at the end of the line; `mailcfg` in it is the one with the database.
  private func choices(_ line: String, _ mailcfg: Mailcfg) throws -> Mailcfg.Run {
    let call = line.replacingOccurrences(of: "mailcfg ", with: "mailcfg --db \(mailcfg.database) ")
    let script = mailcfg.directory + "/mailcfg.bash"
    let generated = try mailcfg.call(["--generate-completion-script", "bash"])
    try #require(generated.status == 0)
    // As `make install` puts it together.
    try (generated.output + String(contentsOfFile: Self.wholeWords, encoding: .utf8))
      .write(toFile: script, atomically: true, encoding: .utf8)
    // Readline's own idea of the word ends at the last @ or space.
    let program = #"""
      PATH=$(dirname "$0"):$PATH; source "$1"; cd "$3"
      COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9 COMP_KEY=9
      _mailcfg_whole_words mailcfg "${2##*[@ ]}" && echo "${COMPREPLY[*]}"
      """#
    return try mailcfg.run("/bin/bash", ["-c", program, try Mailcfg.path, script, call, mailcfg.directory])
  }

  @Test(arguments: [
    ("mailcfg add", "addalias adddom adduser"), ("mailcfg rmuser j", "joe@example.org"),
    ("mailcfg rmuser joe@", "example.org"), ("mailcfg rmdom ", "example.org"), ("mailcfg adduser new@", "example.org"),
    ("mailcfg lsuser --format ", "json tsv text"), ("mailcfg import --format ", "json csv"),
    ("mailcfg rmalias ", "info@example.org"), ("mailcfg addalias info@example.org j", "joe@example.org"),
    ("mailcfg passwd joe@example.org --sc", "--scheme"),
    ("mailcfg passwd joe@example.org --scheme ", "ARGON2ID BLF-CRYPT SHA512-CRYPT"),
  ])
  func bashCompletesNames(_ line: String, _ expected: String) throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (1, 1, 'info@example.org', 'joe@example.org');")
    let run = try choices(line, mailcfg)
    #expect(run.output == expected + "\n" && run.complaint == "")
  }

  /// Of more names than anybody reads the shell gets the first and the last: what they have in common is what all have.
  @Test func ofManyNamesTheShellGetsSome() throws {
    let mailcfg = try Mailcfg(
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000)
      INSERT INTO users (domain_id, password, email) SELECT 1, 'x', printf('u%06d@example.org', i) FROM n;
      """)
    let many = try choices("mailcfg rmuser u00", mailcfg).output.split { $0 == " " || $0 == "\n" }
    #expect(many.count == 201 && many.first == "u000001@example.org" && many.last == "u003000@example.org")
    #expect(try choices("mailcfg rmuser u00123", mailcfg).output.split(separator: " ").count == 10)
  }

  /// Whoever may write the database is not to have a shell of root's do something.
  @Test(arguments: [
    "$(touch pwned)@example.org", "`touch pwned`@example.org", "'; touch pwned; '@example.org",
    "a\ntouch pwned\n@b.org",
    "${x:=$(touch pwned)}@example.org", "\\$(touch pwned)", "<(touch pwned)",
  ])
  func whatAStoredNameSaysIsNeverRun(_ name: String) throws {
    let quoted = name.replacingOccurrences(of: "'", with: "''")
    let mailcfg = try Mailcfg(
      """
      INSERT INTO domains VALUES (2, '\(quoted)');
      INSERT INTO users VALUES (2, 1, 'x', '\(quoted)', 1);
      INSERT INTO aliases VALUES (1, 1, '\(quoted)', 'joe@example.org');
      """)
    for (line, expected) in [
      ("mailcfg rmuser ", "joe@example.org"), ("mailcfg rmdom ", "example.org"), ("mailcfg rmalias ", ""),
      ("mailcfg adduser new@", "example.org"), ("mailcfg lsuser --domain ", "example.org"),
    ] {
      let run = try choices(line, mailcfg)
      #expect(run.output == expected + "\n" && run.complaint == "", "\(line)")
      #expect(!FileManager.default.fileExists(atPath: mailcfg.directory + "/pwned"), "\(line)")
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func everyVerbIsInTheScriptOfEachShell(_ shell: String) throws {
    let mailcfg = try Mailcfg()
    let script = try mailcfg.call(["--generate-completion-script", shell]).output
    let help = try mailcfg.call(["help"]).lines
    let verbs = help.drop { $0 != "SUBCOMMANDS:" }.dropFirst().filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0 != "See" }
    #expect(verbs.count == 19)
    let words = Set(script.split { !($0.isLetter || $0 == "-") }.map(String.init))
    for verb in verbs { #expect(words.contains(verb), "\(verb)") }
  }

  @Test func nobodyAskedForCompletionGetsAnError() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg.call(["---completion", "rmuser", "--", "positional@0", "2", "0", "mailcfg", "rmuser", ""])
    #expect(run.status == 0 && run.output.allSatisfy(\.isNewline) && run.complaint == "")
  }
}
