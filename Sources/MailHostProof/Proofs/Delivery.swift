import HostChecks
import Linux
import MailbootCore

extension ProofKind {
  /// Mail that comes in.
  static let delivery: [ProofKind] = [
    ProofKind(
      .twoMailboxes,
      hint: "the dialect of dovecot's configuration may be wrong: `mailhost plan`, then `journalctl -u dovecot`"
    ) { (run) throws(Silence) in try run.mailboxes() },
    ProofKind(
      .smuggling,
      hint: "`mailhost explain smtpd_forbid_bare_newline`"
    ) { (run) throws(Silence) in try run.smuggling() },
    ProofKind(
      .managesieve, hint: "`journalctl -u dovecot`"
    ) { (run) throws(Silence) in
      guard run.subject.managesieve else { return .skip("managesieve is off") }
      let client = try SieveClient(
        run.subject.url(.sieve, 4190), seconds: run.seconds, serverName: run.subject.hostName)
      guard client.clearLogins.isEmpty else { return .fail("offers \(client.clearLogins) without TLS") }
      try client.logIn(run.two)
      let mark = run.mark("filtered")
      try client.activate(
        """
        require ["fileinto", "mailbox"];\r
        if header :contains "Subject" "\(mark)" { fileinto :create "Sorted"; stop; }\r

        """, name: "mailhost-test")
      client.leave()
      try run.receive(mark, for: run.two)
      let reader = try run.mailProgram(run.two)
      defer { reader.leave() }
      guard try run.await(mark, in: "Sorted", reader) != nil else {
        return .fail("the filter was taken, and the mail did not reach the folder that it names")
      }
      return .pass("uploaded on port 4190, applied at the delivery")
    },
  ]
}

extension ProofRun {
  fileprivate func mailboxes() throws(Silence) -> Finding {
    let marks = [mark("first"), mark("second")]
    try receive(marks[0], for: one)
    try receive(marks[1], for: two)
    for (user, ours, others) in [(one, marks[0], marks[1]), (two, marks[1], marks[0])] {
      let client = try mailProgram(user)
      defer { client.leave() }
      guard try self.await(ours, in: "INBOX", client) != nil else {
        return .fail(
          "a mail to \(user.address) was taken, and is not in the inbox", hint: "`journalctl -u dovecot`, `mailq`")
      }
      guard try client.search(subject: others).isEmpty else {
        return .fail("\(user.address) reads another user's mail")
      }
    }
    for user in [one, two] {
      let name = user.address.prefix { $0 != "@" }
      let place = "\(subject.spool)/\(TestDomain.name)/\(name)"
      let mails = ["new", "cur"].flatMap { listDirectory("\(place)/\($0)") ?? [] }
      guard !mails.isEmpty else { return .fail("\(place) has no mail of \(user.address)") }
    }
    return .pass("\(subject.spool)/\(TestDomain.name)/one and …/two")
  }

  /// Ends of a mail that some servers take for one and others do not; only the first is right (RFC 5321, 4.1.1.4).
  /// - SeeAlso: https://www.postfix.org/smtp-smuggling.html
  private static let wrongEnds = [
    "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n.\r",
  ]

  fileprivate func smuggling() throws(Silence) -> Finding {
    guard subject.stranger != nil else { return .skip(Self.noStranger) }
    let sender = "stranger@elsewhere.invalid"
    for (number, end) in Self.wrongEnds.enumerated() {
      let client = try stranger()
      let answer = try client.envelope(from: sender, to: [two.address])
      guard answer.isAccepted, try client.say("DATA").code == 354 else {
        return .fail("port 25 did not take a mail to a user: \(answer.line)")
      }
      let forged = message(mark("smuggled \(number)"), from: "root@\(subject.hostName)", to: two.address)
      try client.send(
        message(mark("carrier \(number)"), from: sender, to: two.address) + "its end" + end
          + "MAIL FROM:<root@\(subject.hostName)>\r\nRCPT TO:<\(two.address)>\r\nDATA\r\n\(forged)\r\n.\r\nQUIT\r\n")
      // Whatever it answers, and be it that it hangs up: what counts is what is delivered.
      _ = try? client.reply(to: "mail")
      client.leave()
    }
    let last = mark("after smuggling")
    try receive(last, for: two)
    let reader = try mailProgram(two)
    defer { reader.leave() }
    guard try self.await(last, in: "INBOX", reader) != nil else {
      return .fail("the mail that was sent last did not arrive")
    }
    let arrived = try reader.search(subject: mark("smuggled"))
    guard arrived.isEmpty else {
      return .fail("\(arrived.count) of \(Self.wrongEnds.count) hidden mails were delivered")
    }
    return try pipelining()
  }

  /// EHLO must be the last command of a group (RFC 2920, 3.1): before its answer nobody knows that there may be groups.
  private func pipelining() throws(Silence) -> Finding {
    let client = try stranger()
    try client.send("EHLO \(SMTPClient.name)\r\nMAIL FROM:<>\r\n")
    let answer = try client.reply(to: "EHLO")
    guard answer.isAccepted else {
      return .pass("\(Self.wrongEnds.count) wrong ends of a mail, none taken; \(answer.line)")
    }
    client.leave()
    return .fail(
      "commands sent ahead are taken: \(answer.line)", hint: "`mailhost explain smtpd_forbid_unauth_pipelining`")
  }
}
