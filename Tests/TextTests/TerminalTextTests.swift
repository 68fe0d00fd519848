import Testing
import Text

@Suite struct TerminalTextTests {
  @Test(arguments: [
    ("\u{1b}]0;title\u{7}name", "?]0;title?name"), ("\u{9b}2J", "?2J"), ("a\rerror: b\u{8}\u{7f}", "a?error: b??"),
    ("\u{202e}txt.exe\u{2066}", "?txt.exe?"), ("tab\there", "tab?here"),
  ])
  func whatCouldCommandTheTerminalIsShownAsAQuestionMark(_ text: String, _ shown: String) {
    #expect(visible(text) == shown)
  }

  @Test(arguments: ["", "a mount point: /vault", "Größe 日本 é", "two\nlines"])
  func otherTextStaysAsItIs(_ text: String) {
    #expect(visible(text) == text)
  }

  @Test func aNameCannotAddALineOfItsOwn() {
    #expect(visibleInLine("a@example.org\nroot@example.org") == "a@example.org?root@example.org")
  }

  @Test(arguments: [
    ("joe@example.org", "joe@example.org"), ("a&b@example.org", "'a&b@example.org'"), ("", "''"),
    ("x;reboot;@example.org", "'x;reboot;@example.org'"), ("o'neil", "'o'\\''neil'"),
    ("a\nb\u{1b}", "$'a\\x0ab\\x1b'"), ("\u{202e}x", "$'\\xe2\\x80\\xaex'"),
  ])
  func aWordOfACommandIsOneWordForTheShell(_ text: String, _ word: String) {
    #expect(shellWord(text) == word)
  }
}
