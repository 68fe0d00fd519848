import Testing

@testable import MachineKit

/// What the kit makes of a terminal's output. Needs no machine.
@Suite struct ConsoleTextTests {
  @Test func progressThatRedrawsItselfLeavesItsLastForm() {
    let output = "opening 1 s\r\u{1B}[Kopening 2 s\r\u{1B}[Kopened\r\nnext"
    #expect(TerminalScreen(showing: output.utf8).text == "opened\nnext")
  }

  @Test func coloursAndModesLeaveNothing() {
    let output = "\u{1B}[?2004h\u{1B}]0;title\u{07}\u{1B}[1;32mgreen\u{1B}[0m\u{1B}(B"
    #expect(TerminalScreen(showing: output.utf8).text == "green")
    var filter = EscapeFilter()
    #expect(String(decoding: output.utf8.filter { filter.passes($0) }, as: UTF8.self) == "green")
  }

  @Test func theCursorMovesUpToWriteOverEarlierLines() {
    let output = "one\r\ntwo\r\n\u{1B}[2AONE\u{1B}[1B\rTWO\r\n"
    #expect(TerminalScreen(showing: output.utf8).text == "ONE\nTWO\n")
  }

  @Test func onlyAPromptKeepsItsTrailingBlank() {
    #expect(TerminalScreen(showing: "text  \r\nroot# ".utf8).text == "text\nroot# ")
  }

  @Test func lettersOutsideASCIIPassWhole() {
    var filter = EscapeFilter()
    let text = "Grüße \u{1F511}"
    #expect(String(decoding: text.utf8.filter { filter.passes($0) }, as: UTF8.self) == text)
    #expect(TerminalScreen(showing: text.utf8).text == text)
  }

  @Test func aQuotedWordIsOneWordForTheShell() throws {
    let word = "it's; $(a) \"word\""
    #expect(try HostCommand.run(["sh", "-c", "printf %s \(shellQuoted(word))"]) == word)
  }

  @Test func aFailedToolIsToldWithWhatItPrinted() {
    #expect {
      try HostCommand.run(["sh", "-c", "echo the reason >&2; exit 3"])
    } throws: { error in
      "\(error)".contains("status 3") && "\(error)".contains("the reason")
    }
  }
}
