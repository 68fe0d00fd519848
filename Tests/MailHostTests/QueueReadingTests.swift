import MailHost
import Testing

/// A line of `postqueue -j`, as postfix 3.7 and 3.10 write it.
func queueLine(
  _ id: String, place: String = "deferred", arrived: Int = 1_795_359_600, size: Int = 1234,
  sender: String = "alice@example.org", _ recipients: (String, String?)...
) -> String {
  let list = recipients.map { address, reason in
    #"{"address": "\#(address)""# + (reason.map { #", "delay_reason": "\#($0)""# } ?? "") + "}"
  }
  return #"{"queue_name": "\#(place)", "queue_id": "\#(id)", "arrival_time": \#(arrived), "message_size": \#(size), "#
    + #""forced_expire": false, "sender": "\#(sender)", "recipients": [\#(list.joined(separator: ", "))]}"# + "\n"
}

/// The mails in some lines, and how many were not understood.
func queuedMails(_ text: [UInt8], pieces length: Int = .max) -> (mails: [QueuedMail], unread: Int) {
  var lines = QueueLines()
  var mails: [QueuedMail] = []
  var rest = text[...]
  while !rest.isEmpty {
    lines.take(Array(rest.prefix(length))) { mails.append($0) }
    rest = rest.dropFirst(length)
  }
  lines.finish { mails.append($0) }
  return (mails, lines.unread)
}

func queuedMails(_ lines: String...) -> [QueuedMail] { queuedMails(Array(lines.joined().utf8)).mails }

/// What `postqueue -j` writes, as mails.
struct QueueReadingTests {
  @Test func aLineIsAMail() throws {
    let line = queueLine("4bXyzQ1Kkmz3wT", ("Bob@Elsewhere.example", "timed out"), ("root", nil))
    let mail = try #require(queuedMails(line).first)
    #expect(
      mail
        == QueuedMail(
          id: "4bXyzQ1Kkmz3wT", place: .deferred, arrived: 1_795_359_600, size: 1234, sender: "alice@example.org",
          recipients: [.init(address: "Bob@Elsewhere.example", reason: "timed out"), .init(address: "root")]))
    #expect(mail.recipients.map(\.destination) == ["elsewhere.example", "root"])
  }

  @Test(arguments: [1, 2, 7, 64, 1000])
  func piecesMayEndAnywhere(_ length: Int) {
    let text = queueLine("A1", ("a@b.example", "grüß Gott")) + queueLine("B2", ("c@d.example", nil))
    let read = queuedMails(Array(text.utf8), pieces: length)
    #expect(read.mails.map(\.id) == ["A1", "B2"])
    #expect(read.mails.first?.recipients.first?.reason == "grüß Gott")
    #expect(read.unread == 0)
  }

  @Test func aLastLineWithoutItsEndCounts() {
    #expect(queuedMails(Array(queueLine("A1", ("a@b.example", nil)).utf8.dropLast())).mails.map(\.id) == ["A1"])
  }

  @Test(
    arguments: [
      "postqueue: warning: x", "{}", "[]", #"{"queue_id": "A1"}"#, queueLine("-d", ("a@b.example", nil)),
      queueLine("A1 B2", ("a@b.example", nil)), queueLine("", ("a@b.example", nil)),
      queueLine("../A1", ("a@b.example", nil)), queueLine("A1", place: "corrupt", ("a@b.example", nil)),
    ])
  func whatIsNoMailIsCounted(_ line: String) {
    let read = queuedMails(Array((line + "\n" + queueLine("C3", ("a@b.example", nil))).utf8))
    #expect(read.mails.map(\.id) == ["C3"])
    #expect(read.unread == 1)
  }

  @Test func bytesThatAreNoTextDoNotHideAMail() throws {
    var line = Array(queueLine("A1", ("a@b.example", "said: XX")).utf8)
    let place = try #require(line.lastIndex(of: UInt8(ascii: "X")))
    line[place] = 0xff
    line[place - 1] = 0x1b
    let read = queuedMails(line)
    #expect(read.unread == 0)
    #expect(read.mails.first?.recipients.first?.reason == "said: ?\u{fffd}")
  }

  @Test func aLineWithoutEndIsNotHeld() {
    var lines = QueueLines()
    var ids: [String] = []
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    for _ in 0..<20 { lines.take(piece) { ids.append($0.id) } }
    lines.take(Array(("\n" + queueLine("A1", ("a@b.example", nil))).utf8)) { ids.append($0.id) }
    #expect(ids == ["A1"])
    #expect(lines.unread == 1)
  }

  @Test func aReasonWithoutEndIsCut() throws {
    let long = String(repeating: "no ", count: 5000)
    let mail = try #require(queuedMails(queueLine("A1", ("a@b.example", long))).first)
    #expect(mail.recipients.first?.reason?.utf8.count == 4096)
  }

  @Test(arguments: ["A1B2C3", "4bXyzQ1Kkmz3wT"])
  func namesInTheQueueAreLettersAndDigits(_ name: String) { #expect(QueuedMail.isID(name)) }

  @Test(arguments: ["", "-", "A1\n", "A 1", "é1", "A1.B2", String(repeating: "A", count: 65)])
  func nothingElseIsGivenToPostfix(_ name: String) { #expect(!QueuedMail.isID(name)) }
}
