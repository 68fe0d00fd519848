import Foundation
import Testing

/// What is asked at a terminal, with `script` as the terminal.
struct QuestionTests {
  /// Types `keys` one after the other, each when its question is there.
  private func type(
    _ mailcfg: Mailcfg, _ arguments: String, _ keys: [(question: String, answer: String)], first: () throws -> Void = {}
  ) throws -> (status: Int32, shown: String) {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    process.arguments = ["-qec", "'\(try Mailcfg.path)' --db '\(mailcfg.database)' \(arguments)", "/dev/null"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var shown = ""
    var seen = shown.startIndex
    for (question, answer) in keys {
      while shown[seen...].range(of: question) == nil {
        let data = output.fileHandleForReading.availableData
        try #require(!data.isEmpty, "it ended before asking: \(shown)")
        let offset = shown.distance(from: shown.startIndex, to: seen)
        shown += String(decoding: data, as: UTF8.self)
        seen = shown.index(shown.startIndex, offsetBy: offset)
      }
      // The next question may have come along with this one.
      seen = shown[seen...].range(of: question)?.upperBound ?? shown.endIndex
      if question == keys.first?.question { try first() }
      try input.fileHandleForWriting.write(contentsOf: Data(answer.utf8))
    }
    while true {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { break }
      shown += String(decoding: data, as: UTF8.self)
    }
    process.waitUntilExit()
    return (process.terminationStatus, shown)
  }

  @Test func aPasswordIsAskedForTwiceWithoutEcho() throws {
    let mailcfg = try Mailcfg()
    let run = try type(mailcfg, "adduser ann@example.org", [("New password", "geheim\r"), ("Once more", "geheim\r")])
    #expect(run.status == 0 && run.shown.contains("added user") && !run.shown.contains("geheim"))
    #expect(try mailcfg("verify", "ann@example.org", "--stdin", input: "geheim").status == 0)
  }

  @Test func differentAnswersAreAskedForAgainThreeTimesAtMost() throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    let pair = [("New password", "one\r"), ("Once more", "two\r")]
    let run = try type(mailcfg, "passwd joe@example.org", pair + pair + pair)
    #expect(run.status == 1 && run.shown.contains("different"))
    #expect(try mailcfg.bytes() == before)
  }

  @Test func ctrlCEndsWith130AndCtrlDIsAnError() throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    #expect(try type(mailcfg, "passwd joe@example.org", [("New password", "\u{3}")]).status == 130)
    #expect(try type(mailcfg, "passwd joe@example.org", [("New password", "\u{4}")]).status == 1)
    #expect(try type(mailcfg, "rmuser joe@example.org", [("[y/N]", "\u{3}")]).status == 130)
    #expect(try mailcfg.bytes() == before)
  }

  @Test(arguments: [("n\r", 1), ("\r", 1), ("y\r", 0)] as [(String, Int32)])
  func removalIsAskedFor(_ answer: String, _ status: Int32) throws {
    let mailcfg = try Mailcfg()
    let run = try type(mailcfg, "rmdom example.org", [("[y/N]", answer)])
    #expect(run.status == status && run.shown.contains("- user joe@example.org"))
    #expect(try mailcfg.rows("SELECT count(*) FROM users") == [status == 0 ? "0" : "1"])
  }

  @Test func whatIsThereOnlySinceTheQuestionIsNotRemovedUnasked() throws {
    let mailcfg = try Mailcfg()
    let run = try type(
      mailcfg, "rmdom example.org", [("[y/N]", "y\r"), ("something else meanwhile", ""), ("[y/N]", "n\r")]
    ) {
      // Between question and answer.
      _ = try mailcfg("adduser", "new@example.org", "--generate")
    }
    #expect(run.status == 1 && run.shown.contains("- user new@example.org"), "\(run.shown)")
    #expect(try mailcfg.rows("SELECT email FROM users ORDER BY id") == ["joe@example.org", "new@example.org"])
  }

  @Test func aPruningImportSaysWhatGoesOfEachKind() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (1, 1, 'info@example.org', 'joe@example.org');")
    let file = mailcfg.directory + "/accounts.json"
    try #"{"domains": [{"name": "example.org"}], "users": [], "aliases": []}"#.write(
      toFile: file, atomically: true, encoding: .utf8)
    let run = try type(mailcfg, "import \(file) --prune", [("Remove 1 user, 1 alias? [y/N]", "n\r")])
    #expect(run.status == 1 && run.shown.contains("- user joe@example.org"), "\(run.shown)")
    #expect(try mailcfg("lsuser").output == "joe@example.org\n")
  }

  @Test func yesAsksNothing() throws {
    #expect(try type(try Mailcfg(), "rmdom example.org --yes", []).status == 0)
  }

  @Test func whoIsThereOrHasNoDomainIsNotAskedAPassword() throws {
    let mailcfg = try Mailcfg()
    #expect(try type(mailcfg, "adduser joe@example.org", []).status == 0)
    #expect(try type(mailcfg, "adduser ann@example.net", []).status == 1)
  }
}
