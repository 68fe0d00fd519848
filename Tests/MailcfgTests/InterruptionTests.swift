import Foundation
import Testing

/// Signals in front of every single change that a verb makes to a file. Whoever may only read, as postfix and dovecot, must be able to
/// afterwards: they could not undo what was left half done.
@Suite struct InterruptionTests {
  private static let verbs = [
    ["adddom", "new.example"], ["set", "joe@example.org", "--quota", "1G"], ["rmdom", "example.org", "--yes"],
  ]

  @Test(arguments: verbs, [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func noSignalLeavesAChangeHalfMade(_ verb: [String], _ signal: Int32) throws {
    let mailcfg = try Mailcfg()
    let shim = try SignalShim(in: mailcfg.directory)
    let copy = mailcfg.directory + "/copy"
    func run(_ environment: [String]) throws -> Mailcfg.Run {
      try? FileManager.default.removeItem(atPath: copy)
      try FileManager.default.copyItem(atPath: mailcfg.database, toPath: copy)
      return try mailcfg.run(
        "/usr/bin/env", environment + ["LD_PRELOAD=" + shim.path, try Mailcfg.path, "--db", copy] + verb)
    }
    /// As whoever may only read sees it.
    func state() throws -> String {
      let reading = try mailcfg.run("/usr/bin/sqlite3", ["-readonly", copy, ".dump"])
      #expect(reading.complaint == "" && reading.status == 0)
      return reading.output
    }
    let calls = mailcfg.directory + "/calls"
    #expect(try run(["MAILCFG_CALLS=" + calls]).status == 0)
    let after = try state()
    let total = try #require(Int(String(contentsOfFile: calls, encoding: .utf8)))
    #expect(total >= 5)
    var outcomes: Set<Bool> = []
    for number in 1...total {
      let interrupted = try run(["MAILCFG_AT=\(number)", "MAILCFG_SIGNAL=\(signal)"])
      #expect(!FileManager.default.fileExists(atPath: copy + "-journal"), "\(number) of \(total)")
      let isMade = try state() == after
      // What is made is said, and nothing else.
      #expect(isMade == !interrupted.output.isEmpty && isMade == (interrupted.status == 0), "\(number) of \(total)")
      if !isMade { #expect(interrupted.status == (signal == SIGINT ? 130 : signal)) }
      outcomes.insert(isMade)
    }
    #expect(outcomes == [true, false])
  }

  @Test func anIgnoredSignalIsIgnored() throws {
    let mailcfg = try Mailcfg()
    let shim = try SignalShim(in: mailcfg.directory)
    let run = try mailcfg.run(
      "/bin/sh",
      [
        "-c",
        #"trap '' HUP; MAILCFG_KEEP=1 MAILCFG_AT=3 MAILCFG_SIGNAL=1 LD_PRELOAD="$1" "$0" adddom new.example --db "$2""#,
        try Mailcfg.path,
        shim.path, mailcfg.database,
      ])
    #expect(run.output == "added domain\n" && run.status == 0)
  }

  @Test func anInterruptedBackupLeavesNoFileThatLooksLikeOne() throws {
    let mailcfg = try Mailcfg()
    let shim = try SignalShim(in: mailcfg.directory)
    let copy = mailcfg.directory + "/copy"
    let run = try mailcfg.run(
      "/usr/bin/env",
      [
        "MAILCFG_AT=3", "MAILCFG_SIGNAL=15", "LD_PRELOAD=" + shim.path, try Mailcfg.path, "backup", copy, "--db",
        mailcfg.database,
      ])
    #expect(run.status != 0)
    #expect(!FileManager.default.fileExists(atPath: copy))
    #expect(try mailcfg("backup", copy).status == 0)
  }
}
