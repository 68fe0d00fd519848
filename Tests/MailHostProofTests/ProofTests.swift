import Testing

@testable import MailHostProof

struct ProofTests {
  @Test func everyNameIsTriedOnce() {
    let names = ProofKind.all.map(\.name)
    #expect(names.count == ProofName.allCases.count)
    #expect(Set(names) == Set(ProofName.allCases))
  }

  @Test(
    arguments: [
      ("* 1 FETCH (BODY[] {17}", 17), ("* 1 FETCH (BODY[] {17", nil), ("* OK {x}", nil), ("* OK", nil), ("{0}", 0),
      // More than anything that the test itself has written.
      ("* 1 FETCH (BODY[] {99999999999}", nil),
    ] as [(String, Int?)])
  func aLiteralIsAnnouncedAtTheEndOfALine(_ line: String, _ count: Int?) {
    #expect(IMAPClient.literal(line) == count)
  }

  @Test func aListOfMapsIsSplitWhereNoBraceIsOpen() {
    #expect(
      ProofRun.maps("hash:/etc/aliases, inline:{ root=alice@example.org, x = y }, static:root\n")
        == ["hash:/etc/aliases", "inline:{ root=alice@example.org, x = y }", "static:root"])
    #expect(ProofRun.maps("").isEmpty)
    #expect(ProofRun.maps("hash:/a hash:/b") == ["hash:/a", "hash:/b"])
  }

  @Test func keywordsOfEHLOAreWholeWords() {
    let hello = SMTPReply(code: 250, texts: ["mail.example.org AUTH", "SIZE 1000", "auth PLAIN LOGIN", "XSTARTTLS"])
    #expect(hello.offers("AUTH"))
    #expect(!hello.offers("STARTTLS"))
    #expect(!SMTPReply(code: 250, texts: ["AUTH"]).offers("AUTH"))
    #expect(SMTPReply(code: 250, texts: ["x", "AUTH=PLAIN"]).offers("AUTH"))
  }

  @Test(arguments: [(0.0, "Thu, 1 Jan 1970 00:00:00 +0000"), (1_795_359_600, "Sun, 22 Nov 2026 15:00:00 +0000")])
  func aMailHasADateThatProgramsRead(_ seconds: Double, _ text: String) {
    #expect(mailDate(seconds) == text)
  }

  @Test func passwordsAreLongAndNeverTheSame() {
    let words = (0..<50).map { _ in TestUser("one").password }
    #expect(Set(words).count == 50)
    #expect(words.allSatisfy { $0.count == 36 && $0.allSatisfy(\.isHexDigit) })
  }

  @Test(
    arguments: [
      (#"{"queue_id": "4D0C8F7E60C", "recipients": [{"address": "two@mailhost-test.invalid"}]}"#, "4D0C8F7E60C"),
      (
        #"{"queue_id": "A1", "recipients": [{"address": "two@mailhost-test.invalid"}, {"address": "bob@example.org"}]}"#,
        nil
      ),
      (#"{"queue_id": "A1", "recipients": [{"address": "bob@example.org"}]}"#, nil),
      (#"{"queue_id": "A1", "recipients": []}"#, nil),
      (#"{"queue_id": "ALL -r", "recipients": [{"address": "two@mailhost-test.invalid"}]}"#, nil),
      (#"{"queue_id": "", "recipients": [{"address": "two@mailhost-test.invalid"}]}"#, nil),
      ("Mail queue is empty", nil),
    ] as [(String, String?)])
  func onlyTheTestsOwnMailIsThrownAway(_ line: String, _ name: String?) {
    #expect(TestQueue.ours(line) == name)
  }
}
