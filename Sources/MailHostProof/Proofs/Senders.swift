import HostChecks
import MailbootCore

extension ProofKind {
  /// Mail that users send.
  static let senders: [ProofKind] = [
    ProofKind(
      .forgedSender,
      hint: "`mailhost explain smtpd_sender_login_maps`"
    ) { (run) throws(Silence) in
      var seen = ""
      for port: UInt16 in [465, 587] {
        let client = try run.submission(port, as: run.one)
        defer { client.leave() }
        let own = try client.envelope(from: run.one.address, to: [run.two.address])
        guard own.isAccepted else { return .fail("port \(port), under its own address: \(own.line)") }
        _ = try client.say("RSET")
        for other in [run.two.address, "stranger@elsewhere.invalid"] {
          let forged = try client.envelope(from: other, to: [run.two.address])
          guard forged.isRefused else { return .fail("port \(port), as <\(other)>: \(forged.line)") }
          seen = forged.line
          _ = try client.say("RSET")
        }
      }
      return .pass(seen)
    },
    ProofKind(
      .relayAccount,
      hint: "`mailhost explain submission_recipient_restrictions`"
    ) { (run) throws(Silence) in
      var seen = ""
      for port: UInt16 in [465, 587] {
        let client = try run.submission(port, as: run.relay)
        defer { client.leave() }
        let inside = try client.envelope(from: run.one.address, to: [run.two.address])
        guard inside.isAccepted else { return .fail("port \(port), to a user here: \(inside.line)") }
        _ = try client.say("RSET")
        let outside = try client.envelope(from: run.one.address, to: ["nobody@elsewhere.invalid"])
        guard outside.isRefused else { return .fail("port \(port), to <nobody@elsewhere.invalid>: \(outside.line)") }
        seen = outside.line
      }
      return .pass(seen)
    },
    ProofKind(
      .signed,
      hint: "`mailboot verify dkim`, and `journalctl -u rspamd`"
    ) { (run) throws(Silence) in try run.signature() },
    ProofKind(
      .filterStopped,
      hint: "`mailhost explain milter_default_action`"
    ) { (run) throws(Silence) in try run.withoutFilter() },
  ]
}

extension ProofRun {
  fileprivate func signature() throws(Silence) -> Finding {
    guard subject.spamFilter, let selector = subject.selector else { return .skip("mail is not signed on this host") }
    let key: TestKey
    do throws(TestTrouble) {
      key = try TestKey(in: subject.dkim, selector: selector, owner: subject.signer)
    } catch {
      return .fail(error.text)
    }
    let mark = mark("signed")
    let client = try submission(587, as: one)
    let answer = try client.deliver(
      message(mark, from: one.address, to: two.address), from: one.address, to: [two.address])
    client.leave()
    guard answer.isAccepted else { return .fail("port 587 did not take the mail: \(answer.line)") }
    let reader = try mailProgram(two)
    defer { reader.leave() }
    guard let number = try self.await(mark, in: "INBOX", reader) else { return .fail("the mail did not arrive") }
    let mail = SignedMessage(try reader.message(number))
    do throws(SignatureFault) {
      return .pass(try mail.verifySignature(domain: TestDomain.name, selector: selector, key: key.key))
    } catch {
      return .fail(error.text)
    }
  }

  /// Master.cf has a second port 25 for this, whose filter is a port on which nothing listens: so no mail of anybody else is touched.
  fileprivate func withoutFilter() throws(Silence) -> Finding {
    guard subject.spamFilter else { return .skip("spam_filter is off") }
    if let filterSwitch {
      do throws(TestTrouble) {
        return try filterSwitch.whileStopped { () throws(Silence) in try putOff(25, "with rspamd stopped") }
      } catch {
        return .fail(error.text, hint: "`systemctl status rspamd`")
      }
    }
    return try putOff(10025, "with a filter that is not there")
  }

  private func putOff(_ port: UInt16, _ how: String) throws(Silence) -> Finding {
    let sender = "stranger@elsewhere.invalid"
    let client: SMTPClient
    do throws(Silence) {
      client = try SMTPClient(subject.url(.smtp, port), from: subject.stranger, seconds: seconds)
    } catch {
      return .skip("port \(port) is not there for this test: \(error.reason)")
    }
    defer { client.leave() }
    // Postfix may say so at any step.
    var answer = client.greeting
    if answer.isAccepted { answer = try client.say("EHLO \(SMTPClient.name)") }
    if answer.isAccepted {
      answer = try client.deliver(
        message(mark("unfiltered"), from: sender, to: two.address), from: sender, to: [two.address])
    }
    return answer.isDeferred ? .pass("\(how): \(answer.line)") : .fail("\(how): \(answer.line)")
  }
}
