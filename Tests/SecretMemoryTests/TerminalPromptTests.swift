import Foundation
import SecretMemory
import Testing

/// One at a time: a process asks one question at a time, and so its terminal's attributes are kept in one place.
@Suite(.serialized) struct TerminalPromptTests {
  @Test func whatIsTypedIsTakenAndNotShown() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    #expect(try !terminal.isEchoing)
    try terminal.type("gehe im\n")
    #expect(asking.result() == .secret(Array("gehe im".utf8)))
    #expect(try terminal.waitFor("\n").allSatisfy(\.isWhitespace), "only the line's end is shown")
    #expect(try terminal.isEchoing)
  }

  @Test(arguments: [
    ("aä\u{7F}b\r", "ab"), ("a€\u{08}\u{7F}b\n", "b"), ("🔑\u{7F}\n", ""), ("wrong\u{15}right\n", "right"),
    ("abc\u{04}", "abc"), ("\u{7F}\u{7F}x\n", "x"), ("a\u{17}\tb\n", "a\u{17}\tb"), ("\n", ""),
  ])
  func theLineCanBeEdited(_ typed: String, _ expected: String) throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    try terminal.type(typed)
    #expect(asking.result() == .secret(Array(expected.utf8)))
    #expect(try terminal.isEchoing)
  }

  @Test func aByteThatIsNoUTF8IsTakenAwayAlone() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    try terminal.type([0x61, 0xE4, 0x7F, 0xA4, 0x7F, 0xFF, 0x0A])  // Latin-1
    #expect(asking.result() == .secret([0x61, 0xFF]))
  }

  @Test func theTerminalsOwnEraseKeyWorksToo() throws {
    let terminal = try PseudoTerminal()
    var attributes = termios()
    try #require(tcgetattr(terminal.master, &attributes) == 0)
    withUnsafeMutableBytes(of: &attributes.c_cc) { $0[Int(VERASE)] = UInt8(ascii: "#") }
    try #require(tcsetattr(terminal.master, TCSANOW, &attributes) == 0)
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    try terminal.type("ab#c\n")
    #expect(asking.result() == .secret(Array("ac".utf8)))
  }

  @Test func whatWasTypedAheadIsKept() throws {
    let terminal = try PseudoTerminal()
    try terminal.type("early")
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    try terminal.type(" bird\n")
    #expect(asking.result() == .secret(Array("early bird".utf8)))
  }

  @Test func controlDOnAnEmptyLineEndsTheInput() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    try terminal.type([0x04])
    #expect(asking.result() == .endOfInput)
    #expect(try terminal.isEchoing)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func aSignalEndsTheQuestionWithTheTerminalRestored(_ number: Int32) throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path, takesSignals: true)
    try terminal.waitFor("Passphrase: ")
    try terminal.type("half a pass")
    asking.signal(number)
    #expect(asking.result() == .interrupted(number))
    try terminal.waitFor("\r\n")
    #expect(try terminal.isEchoing)
  }

  @Test func anotherSignalLeavesTheQuestionOpen() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path, takesSignals: true)
    try terminal.waitFor("Passphrase: ")
    asking.signal(SIGUSR1)
    try terminal.type("still there\n")
    #expect(asking.result() == .secret(Array("still there".utf8)))
  }

  @Test func aHangUpEndsTheInput() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    terminal.hangUp()
    #expect(asking.result() == .endOfInput)
  }

  @Test func aQuestionNoLongerWantedIsWithdrawn() throws {
    let terminal = try PseudoTerminal()
    let wanted = Counter()
    let asking = Asking(at: terminal.path, stillWanted: { wanted.next() < 2 })
    try terminal.waitFor("Passphrase: ")
    try terminal.type("half a pass")
    #expect(asking.result() == .withdrawn)
    #expect(wanted.count == 2, "asked again until it said no")
    #expect(try terminal.isEchoing)
  }

  @Test func tooMuchIsRefusedAndNothingOfItIsLeftForTheShell() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    // In pieces that the terminal's own buffer of 4 KiB can take.
    for _ in 0..<9 {
      try terminal.type([UInt8](repeating: 0x61, count: 1000))
      usleep(20_000)
    }
    #expect(asking.result() == .failed(.tooLong(limit: 8192)))
    #expect(try terminal.isEchoing)
  }

  @Test func theLongestPassphraseIsTaken() throws {
    let terminal = try PseudoTerminal()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    for _ in 0..<8 {
      try terminal.type([UInt8](repeating: 0x61, count: 1024))
      usleep(20_000)
    }
    try terminal.type("\n")
    #expect(asking.result() == .secret([UInt8](repeating: 0x61, count: 8192)))
  }

  @Test func withoutATerminalThereIsATypedError() {
    #expect(Asking(at: "/nonexistent").result() == .failed(.noTerminal(ENOENT)))
    #expect(Asking(at: "/dev/null").result() == .failed(.failed("tcgetattr", ENOTTY)))
  }

  @Test func anotherWayOutOfTheProgramCanRestoreTheTerminal() throws {
    let terminal = try PseudoTerminal()
    let before = try terminal.localModes()
    let asking = Asking(at: terminal.path)
    try terminal.waitFor("Passphrase: ")
    #expect(try !terminal.isEchoing)
    TerminalPrompt.restoreIfNeeded()
    #expect(try terminal.localModes() == before)
    try terminal.type("\n")
    #expect(asking.result() == .secret([]))
  }
}

/// Counts calls from another thread.
private final class Counter: @unchecked Sendable {
  // @unchecked: guarded by the lock.
  private let lock = NSLock()
  private var value = 0

  var count: Int { lock.withLock { value } }

  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}
