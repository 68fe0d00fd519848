import Glibc
import HostChecks
import Linux
import MailbootCore

extension ProofKind {
  /// What holds up who has stolen a password, or tries to guess one.
  static let abuse: [ProofKind] = [
    ProofKind(.limits, hint: "`mailhost explain burst`, `journalctl -u rspamd`") { (run) throws(Silence) in
      try run.limit()
    },
    ProofKind(.loginLog, hint: "fail2ban's filter does not know what dovecot writes: `mailhost plan`") {
      (run) throws(Silence) in
      try run.loginLog()
    },
  ]
}

extension ProofRun {
  /// Sends a mail to more recipients than one account may have at once, all of them the user itself, and then another one.
  fileprivate func limit() throws(Silence) -> Finding {
    guard subject.spamFilter, let burst = subject.burst else { return .skip("there is no limit in the settings") }
    // Each of them is delivered.
    guard burst <= 300 else { return .skip("a limit of \(burst) recipients at once is too large to be tried") }
    let recipients = (0...burst).map { "two+\($0)@\(TestDomain.name)" }
    for (count, recipients) in [(1, recipients), (2, [two.address])] {
      let client = try submission(465, as: two)
      defer { client.leave() }
      let mail = message(mark("limit \(count)"), from: two.address, to: two.address)
      let answer = try client.deliver(mail, from: two.address, to: recipients)
      if answer.isDeferred { return .pass("after \(burst) recipients: \(answer.line)") }
      guard answer.isAccepted else { return .fail(answer.line) }
    }
    return .fail("\(recipients.count + 1) recipients in a few seconds were taken, more than \(burst)")
  }

  /// Gives a wrong password, and shows fail2ban what dovecot has logged of it. The address is this host's own, which is never banned.
  fileprivate func loginLog() throws(Silence) -> Finding {
    let program = "/usr/bin/fail2ban-regex"
    let filter = "/etc/fail2ban/filter.d/mailhost-dovecot.conf"
    guard fileStatus(program) != nil else { return .skip("fail2ban is not installed") }
    let start = Int(wallSeconds())
    let stranger = TestUser("one")
    do throws(Silence) {
      try mailProgram(stranger).leave()
      return .fail("a wrong password was taken")
    } catch {
      // As it is to be.
    }
    let limit = Deadline(after: 8)
    while true {
      let journal = try output([
        "/usr/bin/journalctl", "--no-pager", "-u", "dovecot", "-o", "short", "--since", "@\(start)",
      ])
      let lines = journal.split(separator: "\n").filter { $0.contains(stranger.address) && $0.contains("auth failed") }
      if let line = lines.last {
        let verdict = try output([program, String(line), filter])
        return verdict.contains("1 matched")
          ? .pass(printable(String(line), limit: 120)) : .fail("not matched: \(printable(String(line)))")
      }
      guard !limit.hasPassed else { return .fail("dovecot has logged no failed login of \(stranger.address)") }
      pause(0.2)
    }
  }
}
