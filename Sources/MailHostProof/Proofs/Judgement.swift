import HostChecks
import MailbootCore

extension ProofKind {
  /// What the filter makes of spam.
  static let judgement: [ProofKind] = [
    ProofKind(
      .gtube,
      hint: "`journalctl -u rspamd`, `mailhost explain smtpd_milters`"
    ) { (run) throws(Silence) in
      guard run.subject.spamFilter else { return .skip("spam_filter is off") }
      guard run.subject.stranger != nil else { return .skip(ProofRun.noStranger) }
      let sender = "stranger@elsewhere.invalid"
      let mail = run.message(run.mark("gtube"), from: sender, to: run.one.address) + ProofRun.gtube + "\r\n"
      let client = try run.stranger()
      defer { client.leave() }
      let answer = try client.deliver(mail, from: sender, to: [run.one.address])
      return answer.isRefused ? .pass(answer.line) : .fail("the test text for spam filters got: \(answer.line)")
    },
    ProofKind(
      .junkFiled,
      hint: "`mailhost explain use`, `journalctl -u dovecot`"
    ) { (run) throws(Silence) in try run.junk() },
  ]
}

extension ProofRun {
  /// The text that every filter takes for spam. In two halves: this source is to be no spam.
  /// - SeeAlso: https://spamassassin.apache.org/gtube/
  fileprivate static let gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

  /// A mail with many marks of spam, no single one of which decides: without date, recipient and number, from a name that is another's
  /// address, with a claim of being urgent. It comes to some 8 points: more than 6, at which rspamd marks a mail, and less than the 15
  /// at which it refuses one.
  private func dubious(_ mark: String) -> String {
    """
    From: "\(two.address)" <stranger@elsewhere.invalid>\r
    Subject: \(mark)\r
    MIME-Version: 1.0\r
    Content-Type: text/html; charset=utf-8\r
    Content-Transfer-Encoding: base64\r
    \r
    \(base64(Array("<html><body>\(randomWord(bytes: 8))</body></html>".utf8)))\r

    """
  }

  fileprivate func junk() throws(Silence) -> Finding {
    guard subject.spamFilter else { return .skip("spam_filter is off") }
    guard subject.stranger != nil else { return .skip(Self.noStranger) }
    let mark = mark("junk")
    let sender = "stranger@elsewhere.invalid"
    let client = try stranger()
    let answer = try client.deliver(dubious(mark), from: sender, to: [one.address])
    client.leave()
    guard answer.isAccepted else { return .skip("rspamd did more than mark a dubious mail: \(answer.line)") }
    let reader = try mailProgram(one)
    defer { reader.leave() }
    let limit = Deadline(after: 10)
    while true {
      if try reader.select("Junk"), try !reader.search(subject: mark).isEmpty {
        return .pass("a dubious mail is in Junk")
      }
      if try reader.select("INBOX"), let number = try reader.search(subject: mark).first {
        return Self.whyNotJunk(SignedMessage(try reader.message(number)))
      }
      guard !limit.hasPassed else { return .fail("a mail was taken, and is nowhere") }
      pause(0.1)
    }
  }

  private static func whyNotJunk(_ mail: SignedMessage) -> Finding {
    let mark = mail.value(of: "X-Spam")
    if mark?.hasPrefix("Yes") == true { return .fail("a mail that is marked as spam is in the inbox") }
    guard let bar = mail.value(of: "X-Spamd-Bar") else { return .fail("rspamd has not marked a dubious mail at all") }
    let points = bar.count { $0 == "+" }
    // The usual threshold.
    return points >= 6
      ? .fail("rspamd gave \(points) points and no X-Spam header")
      : .skip("rspamd gave a dubious mail only \(points) points")
  }
}
