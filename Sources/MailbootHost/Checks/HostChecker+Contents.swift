import CLinux
import Glibc
import Linux
import MailbootCore

/// What lies in the vault, and the certificate: the worker looks at it.
extension HostChecker {
  func database() throws(Failure) -> CheckTask.Next {
    try readDatabase { reply throws(Failure) in
      guard reply.finding.grade == .fatal, !verify.namesDatabase else { return .findings([reply.finding]) }
      // Only now: where all is well nobody waits for postconf.
      return try applies { applies in
        .findings([
          applies
            ? reply.finding
            : Finding(inapplicable: .database, "neither postfix nor dovecot asks \(verify.database)")
        ])
      }
    }
  }

  /// Goes on with what the database holds, read once per run.
  func readDatabase(_ then: @escaping (DatabaseReply) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    if let known = facts.database { return try then(known) }
    let request = DatabaseRequest(
      path: verify.database, owner: "root", group: configuration.accounts.owner, rollBackInterrupted: mayRollBack)
    return .child(try worker.begin(.database, request)) { child throws(Failure) in
      let reply = try worker.reply(DatabaseReply.self, of: child)
      facts.database = reply
      return try then(reply)
    }
  }

  /// Goes on with whether anybody looks accounts up in our database at all: they may be in MySQL, or in another file.
  private func applies(_ then: @escaping (Bool) throws(Failure) -> CheckTask.Next) throws(Failure) -> CheckTask.Next {
    try postconf { settings throws(Failure) in
      let files = AccountFiles(verify.database)
      return try then(settings.isEmpty || settings.chains.contains { files.isAsked(by: $0) } || files.isDovecots)
    }
  }

  /// Domains and samples belong to mail only where somebody asks that database.
  func knownAccounts(_ then: @escaping (DatabaseReply?) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    try readDatabase { reply throws(Failure) in
      if verify.namesDatabase || reply.finding.grade != .fatal { return try then(reply) }
      return try applies { applies throws(Failure) in try then(applies ? reply : nil) }
    }
  }

  func dkim() throws(Failure) -> CheckTask.Next {
    try knownAccounts { database throws(Failure) in
      if let database, database.finding.grade == .fatal, database.domains.isEmpty {
        // Without the domains nobody can say which keys there must be; what is wrong with them is the database's to tell.
        return .findings([Finding(inapplicable: .dkim, "the domains are not known")])
      }
      return try askSigning { signing throws(Failure) in
        if signing == nil, !asksRspamd, fileStatus(verify.dkimDirectory) == nil {
          return .findings([Finding(inapplicable: .dkim, "no rspamd here, and no \(verify.dkimDirectory)")])
        }
        let request = DKIMRequest(
          directory: verify.dkimDirectory, selector: verify.dkimSelector, domains: database?.domains,
          user: verify.dkimUser, signing: signing)
        return .child(try worker.begin(.dkim, request)) { child throws(Failure) in
          let findings = try worker.reply(FindingsReply.self, of: child).findings
          guard facts.isSigningEarly || !facts.isSigningDoubted, asksRspamd,
            findings.contains(where: { !$0.sound || !$0.applies })
          else { return .findings(findings) }
          abandon()
          facts.isSigningDoubted = true
          return try dkim()
        }
      }
    }
  }

  private static let configdump = ["/usr/bin/rspamadm", "configdump", "-j", "dkim_signing"]

  /// Asks rspamd for its settings while nothing else is to be done; for `dkim` later.
  func lookAhead() {
    guard verify.severity(of: .dkim) != .off, asksRspamd, RspamdFiles().signing == nil else { return }
    facts.isSigningEarly = true
    // Whoever needs it tries again, and says why not.
    try? askAhead()
  }

  private func askAhead() throws(Failure) {
    if facts.signing == nil, asksRspamd { facts.signing = try startChild(Self.configdump) }
  }

  /// Keys of another user's are another program's.
  private var asksRspamd: Bool {
    access(Self.configdump[0], X_OK) == 0 && verify.dkimUser == Configuration.Verify().dkimUser
  }

  func abandon() {
    facts.signing?.killAndReap()
    facts.signing = nil
    facts.isSigningEarly = false
  }

  /// Goes on with what rspamd says of signing; nil when it cannot be asked.
  private func askSigning(_ then: @escaping (String?) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    if facts.signing == nil, !facts.isSigningDoubted, asksRspamd, let simple = RspamdFiles().signing {
      return try then(simple)
    }
    facts.isSigningDoubted = true
    try askAhead()
    guard let child = facts.signing else { return try then(nil) }
    return .child(child) { child throws(Failure) in
      // Why it cannot read its configuration is the check `rspamd`'s to tell.
      try then(child.end == .exited(0) ? String(decoding: child.output, as: UTF8.self) : nil)
    }
  }

  func certificate() throws(Failure) -> CheckTask.Next {
    if let file = verify.certificate, let key = verify.certificateKey, let host = verify.hostName {
      return try certificate([CertificateRequest.Pair(certificate: file, key: key)], [], host)
    }
    return try postconf { settings throws(Failure) in
      let host = verify.hostName ?? settings["myhostname"]
      if let file = verify.certificate {
        let key = verify.certificateKey ?? settings["smtpd_tls_key_file"] ?? file
        return try certificate([CertificateRequest.Pair(certificate: file, key: key)], [], host)
      }
      if !settings.chainFiles.isEmpty { return try certificate([], settings.chainFiles, host) }
      guard !settings.certificates.isEmpty else {
        if settings.isEmpty { return .findings([Finding(inapplicable: .certificate, "no postfix here to say which")]) }
        return .findings([
          Finding(
            .certificateUnset, "postfix has no smtpd_tls_cert_file",
            hint: "set it in main.cf, or `certificate` and `certificate-key` in [verify]")
        ])
      }
      return try certificate(settings.certificates, [], host)
    }
  }

  private func certificate(
    _ pairs: [CertificateRequest.Pair], _ chainFiles: [String], _ hostName: String?
  ) throws(Failure) -> CheckTask.Next {
    let request = CertificateRequest(
      pairs: pairs, chainFiles: chainFiles, hostName: hostName, served: configuration.services.compactMap(\.probeText))
    return .child(try worker.begin(.certificate, request)) { child throws(Failure) in
      .findings(try worker.reply(FindingsReply.self, of: child).findings)
    }
  }

  /// Goes on with postfix's settings, asked for once per run. Without postfix there are none.
  func postconf(_ then: @escaping (PostfixSettings) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    if let known = facts.postfix { return try then(known) }
    guard access(PostfixSettings.arguments[0], X_OK) == 0 else { return try then(PostfixSettings(parsing: "")) }
    return .child(try startChild(PostfixSettings.arguments)) { child throws(Failure) in
      guard child.end == .exited(0) else { throw .system(Worker.complaint(child)) }
      let settings = PostfixSettings(parsing: String(decoding: child.output, as: UTF8.self))
      facts.postfix = settings
      return try then(settings)
    }
  }
}
