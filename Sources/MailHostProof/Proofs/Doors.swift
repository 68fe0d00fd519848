import HostChecks
import Linux
import MailbootCore
import Text

extension ProofKind {
  /// What shows at the ports, without any mail.
  static let doors: [ProofKind] = [
    ProofKind(
      .greeting,
      hint: "`mailhost explain myhostname`"
    ) { (run) throws(Silence) in
      let client = try run.stranger()
      client.leave()
      let names = [client.greeting, client.hello].map { $0.texts.first?.split(separator: " ").first.map(String.init) }
      guard names.allSatisfy({ $0?.lowercased() == run.subject.hostName.lowercased() }) else {
        return .fail(
          "greets as \(names[0] ?? "nobody") and, to EHLO, as \(names[1] ?? "nobody"), not as \(run.subject.hostName)")
      }
      for (scheme, port) in [(ProbeURL.Scheme.smtps, UInt16(465)), (.smtp, 587)] {
        let other = try SMTPClient(run.subject.url(scheme, port), from: nil, seconds: run.seconds)
        other.leave()
        guard other.greeting.code == 220 else { return .fail("port \(port): \(other.greeting.line)") }
      }
      return .pass(client.greeting.line)
    },
    ProofKind(
      .certificateServed,
      hint: "`systemctl reload postfix dovecot` after a renewal; certbot's hook does that: `mailhost plan`"
    ) { (run) throws(Silence) in try run.certificates() },
    ProofKind(
      .authOn25,
      hint: "`mailhost explain smtpd_sasl_auth_enable`"
    ) { (run) throws(Silence) in
      let client = try run.stranger()
      defer { client.leave() }
      guard !client.hello.offers("AUTH") else { return .fail("offers AUTH before TLS: \(client.hello.line)") }
      guard client.hello.offers("STARTTLS") else { return .fail("offers no STARTTLS: \(client.hello.line)") }
      try client.startTLS(serverName: run.subject.hostName)
      guard !client.hello.offers("AUTH") else { return .fail("offers AUTH within TLS: \(client.hello.line)") }
      let answer = try client.logIn(run.one)
      return answer.isRefused ? .pass(answer.line) : .fail("a login got: \(answer.line)")
    },
    ProofKind(
      .openRelay, hint: "`mailhost explain smtpd_relay_restrictions`"
    ) { (run) throws(Silence) in try run.relaying() },
    ProofKind(
      .systemMail,
      hint: "`mailhost explain alias_maps`"
    ) { (run) throws(Silence) in
      guard run.subject.stranger != nil else { return .skip(ProofRun.noStranger) }
      let client = try run.stranger()
      defer { client.leave() }
      let host = run.subject.hostName
      for name in ["root", "postmaster"] {
        let answer = try client.envelope(from: "", to: ["\(name)@\(host)"])
        guard answer.isAccepted else { return .fail("\(name)@\(host): \(answer.line)") }
        _ = try client.say("RSET")
      }
      guard let destination = try run.destinationOfRoot() else { return .fail("no alias says whose root's mail is") }
      let invented = "nobody-\(run.token)@\(host)"
      let answer = try client.envelope(from: "", to: [invented])
      return answer.isRefused ? .pass("root is \(destination); \(answer.line)") : .fail("\(invented): \(answer.line)")
    },
  ]
}

extension ProofRun {
  static let noStranger = "without IPv4 there is no second address of this host to come from"

  /// Asks for recipients elsewhere, with senders and spellings that a careless relay takes for its own. Nothing is sent.
  fileprivate func relaying() throws(Silence) -> Finding {
    guard subject.stranger != nil else { return .skip(Self.noStranger) }
    let client = try stranger()
    defer { client.leave() }
    var last = ""
    for sender in ["stranger@elsewhere.invalid", "", one.address, "root@\(subject.hostName)"] {
      for recipient in ["nobody@elsewhere.invalid", "nobody%elsewhere.invalid@\(subject.hostName)"] {
        let answer = try client.envelope(from: sender, to: [recipient])
        guard answer.isRefused else {
          return .fail("from <\(sender)> to <\(recipient)>: \(answer.line)")
        }
        last = answer.line
        _ = try client.say("RSET")
      }
    }
    return .pass(last)
  }

  /// Whose root's mail is by the first of postfix's maps that knows; nil: none knows.
  fileprivate func destinationOfRoot() throws(Silence) -> String? {
    for map in Self.maps(try output(["/usr/sbin/postconf", "-h", "alias_maps"])) {
      let answer = try output(["/usr/sbin/postmap", "-q", "root", map])
      if let line = answer.split(separator: "\n").first { return printable(String(line), limit: 60) }
    }
    return nil
  }

  /// The maps of a list, of which one may have braces with blanks and commas in them.
  static func maps(_ list: String) -> [String] {
    var maps: [String] = []
    var map = ""
    var depth = 0
    for character in list + "," {
      if character == "{" { depth += 1 }
      if character == "}" { depth -= 1 }
      if depth == 0, character == "," || character.isWhitespace {
        if !map.isEmpty { maps.append(map) }
        map = ""
      } else {
        map.append(character)
      }
    }
    return maps
  }

  fileprivate func certificates() throws(Silence) -> Finding {
    let path = subject.certificate
    guard let pem = readSmallFile(path) else { return .fail("\(path): \(errnoText())") }
    let ours = pem.withUnsafeBytes { Certificate.chain(pem: $0) }
    guard ours.count > 0 else { return .fail("\(path) holds no certificate") }
    for (port, shown) in try shownCertificates() {
      guard let shown else { return .fail("port \(port) shows no certificate") }
      let isSame = ours.with(0) { mine in shown.with(0) { $0.isSame(as: mine) } }
      guard isSame else { return .fail("port \(port) shows another certificate than the one in \(path)") }
    }
    let (validity, coversName) = ours.with(0) { ($0.validity, $0.covers(subject.hostName)) }
    guard coversName else {
      return .fail("\(path) is not for \(subject.hostName)", hint: "get one for this name, for instance by certbot")
    }
    guard let validity, validity.from <= Int64(wallSeconds()), Int64(wallSeconds()) < validity.until else {
      let until = validity.map { dayText($0.until) } ?? "?"
      return .fail("\(path) is not valid today (until \(until))", hint: "renew it, for instance by `certbot renew`")
    }
    return .pass("valid until \(dayText(validity.until))")
  }

  private func shownCertificates() throws(Silence) -> [(port: Int, chain: CertificateChain?)] {
    let server = try stranger()
    try server.startTLS(serverName: subject.hostName)
    let submissions = try SMTPClient(
      subject.url(.smtps, 465), from: nil, seconds: seconds, serverName: subject.hostName)
    let submission = try SMTPClient(subject.url(.smtp, 587), from: nil, seconds: seconds)
    try submission.sayHello()
    try submission.startTLS(serverName: subject.hostName)
    let imap = try mailProgram(one)
    var shown: [(port: Int, chain: CertificateChain?)] = [
      (25, server.certificate), (465, submissions.certificate), (587, submission.certificate), (993, imap.certificate),
    ]
    for client in [server, submissions, submission] { client.leave() }
    imap.leave()
    if subject.managesieve {
      let sieve = try SieveClient(
        subject.url(.sieve, 4190), from: nil, seconds: seconds, serverName: subject.hostName)
      shown.append((4190, sieve.certificate))
      sieve.leave()
    }
    return shown
  }
}
