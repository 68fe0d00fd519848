import MailbootCore

/// Asks a service for the certificate that it shows; nil when it does not answer, or shows none.
func servedCertificate(_ url: ProbeURL, hostName: String?) -> CertificateChain? {
  // A service that is down or slow is not this check's business.
  let attempt = Attempt(seconds: 4)
  do {
    let channel = try ProbeChannel(to: url, attempt: attempt, serverName: hostName)
    if url.scheme == .smtp { try channel.upgradeSMTP(serverName: hostName) }
    guard let certificate = channel.certificate else { return nil }
    channel.leave(saying: url.scheme == .smtp || url.scheme == .smtps ? "QUIT\r\n" : nil)
    return CertificateChain(taking: certificate)
  } catch {
    return nil
  }
}

extension ProbeURL.Scheme {
  /// Whether a certificate can be asked for.
  var showsCertificate: Bool { usesTLS || self == .smtp }
}

extension ProbeChannel {
  /// STARTTLS (RFC 3207). A server that does not offer it shows no certificate.
  fileprivate func upgradeSMTP(serverName: String?) throws(Silence) {
    _ = try reply("220")
    try send("EHLO localhost\r\n")
    guard try reply("250").contains(where: { $0.uppercased().hasSuffix("STARTTLS") }) else {
      return leave(saying: "QUIT\r\n")
    }
    try send("STARTTLS\r\n")
    _ = try reply("220")
    try startTLS(serverName: serverName)
  }

  private func reply(_ code: String) throws(Silence) -> [String] {
    var lines: [String] = []
    repeat {
      lines.append(try expectLine("reply"))
      guard lines.count < 100, lines[lines.count - 1].hasPrefix(code) else { throw Silence(reason: "no \(code)") }
    } while lines[lines.count - 1].hasPrefix(code + "-")
    return lines
  }
}
