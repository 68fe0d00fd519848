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
        run.subject.url(.sieve, 4190), from: run.subject.stranger, seconds: run.seconds,
        serverName: run.subject.hostName)
      guard client.clearLogins.isEmpty || run.subject.stranger == nil else {
        return .fail("offers \(client.clearLogins) without TLS")
      }
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

  /// Sends mails with such an end in their midst. Where it is taken for one, the next line of the mail is taken for a command, and so could
  /// be commands that send another mail: that such a command is not known shows it, whatever the two servers' timing.
  fileprivate func smuggling() throws(Silence) -> Finding {
    guard subject.stranger != nil else { return .skip(Self.noStranger) }
    let sender = "stranger@elsewhere.invalid"
    for end in Self.wrongEnds {
      let client = try stranger()
      defer { client.leave() }
      let answer = try client.envelope(from: sender, to: [two.address])
      guard answer.isAccepted, try client.say("DATA").code == 354 else {
        return .fail("port 25 did not take a mail to a user: \(answer.line)")
      }
      try client.send(message(mark("carrier"), from: sender, to: two.address) + "its end?\(end)mailhost-test\r\n.\r\n")
      let taken = try client.reply(to: "mail")
      // Refused for its line ends, perhaps with the connection closed.
      guard taken.isAccepted else { continue }
      let next = try client.say("NOOP")
      guard next.isAccepted else {
        let shown = end.unicodeScalars.map { $0 == "\r" ? "<CR>" : $0 == "\n" ? "<LF>" : String($0) }.joined()
        return .fail("\(shown) is taken for the end of a mail, and what follows for a command: \(next.line)")
      }
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
