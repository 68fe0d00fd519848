import MachineKit
import SceneSupport
import Testing

/// Somebody at a real terminal who is asked for the passphrase.
struct TerminalPassphraseTests {
  private static let prompt = "Passphrase of the vault"
  private static let wrong = GuestTools.wrongPassphrase

  @Test(arguments: Release.both)
  func threeWrongOnesEndTheRun(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let run = try await TerminalRun(host, "mailboot")
      for count in [": ", " (2 of 3): ", " (3 of 3): "] {
        try await run.expect(Self.prompt + count)
        try run.type(Self.wrong + "\n")
      }
      let (said, changes) = try await run.end(10)
      #expect(said.contains("error: the passphrase was not accepted (3 tries)"))
      #expect(said.contains("hint: mind Caps Lock"))
      #expect(changes == [])
      #expect(!host.guest.ttyS1.transcript.contains(Self.wrong), "it was echoed")
    }
  }

  @Test func theRightOneAfterAWrongAndAnEmptyOneOpens() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        "printf '%s\\n' '\(GuestCredentials.vaultPassphrase)' 'pässwörd' | gocryptfs -q -passwd /vault_crypt")
      try await host.configure(Settings.toml())
      let run = try await TerminalRun(host, "mailboot --no-start")
      try await run.expect(Self.prompt + ": ")
      try run.type("\n")
      try await run.expect("that was empty, try again")
      try await run.expect(Self.prompt)
      try run.type(Self.wrong + "\n")
      try await run.expect("not accepted, try again")
      try await run.expect(Self.prompt)
      // Backspace takes a whole character away, Ctrl-U everything.
      try run.type("xyz\u{15}pässwörü\u{7f}d\n")
      let (said, changes) = try await run.end(0)
      #expect(said.contains("mounted and verified, nothing started"))
      #expect(changes.sorted() == host.vault.traces.map { "> " + $0 })
    }
  }

  @Test func emptyOnesAreNotAskedForForEver() async throws {
    try await MailHosts.with(.debian12) { host in
      let run = try await TerminalRun(host, "mailboot")
      for _ in 1...3 {
        try await run.expect(Self.prompt)
        try run.type("\n")
      }
      let (said, changes) = try await run.end(10)
      #expect(said.contains("error: the passphrase is empty"))
      #expect(changes == [])
    }
  }

  @Test func standardInputThatIsATerminalDoesNotShowIt() async throws {
    try await MailHosts.with(.debian12) { host in
      let run = try await TerminalRun(host, "mailboot --stdin")
      try await run.expect(Self.prompt + ": ")
      try run.type(Self.wrong + "\n")
      let (said, changes) = try await run.end(10)
      #expect(said.contains("error: the passphrase was not accepted"))
      #expect(changes == [])
      #expect(!host.guest.ttyS1.transcript.contains(Self.wrong), "it was echoed")
    }
  }

  @Test(arguments: Release.both)
  func whoeverLeavesThePromptGetsTheTerminalBackAsItWas(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      for way in ["Ctrl-C", "Ctrl-D", "SIGTERM"] {
        let run = try await TerminalRun(host, "mailboot")
        try await run.expect(Self.prompt)
        switch way {
        case "Ctrl-C": try run.type("some\u{3}")
        case "Ctrl-D": try run.type("\u{4}")
        default: try await host.guest.succeed("pkill -TERM -x mailboot")
        }
        let (said, changes) = try await run.end(130)
        #expect(said.contains(way == "SIGTERM" ? "error: ended by signal 15" : "error: interrupted"), "\(way)")
        #expect(changes == [], "\(way)")
      }
    }
  }

  @Test func theQuestionIsWithdrawnWhenAnotherRunSucceeds() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.configure(Settings.toml())
      let run = try await TerminalRun(host, "mailboot")
      try await run.expect(Self.prompt)
      let other = try await host.unlock()
      other.expectSuccess("ready in ")
      let (said, changes) = try await run.end(0)
      #expect(said.contains("the vault has been opened by another run"))
      #expect(said.contains("ready already"))
      #expect(
        changes.sorted() == (host.vault.traces + ["unit redis-server.service active"]).map { "> " + $0 }.sorted())
    }
  }
}
