import MailHost

/// A mail from this host to whoever looks after it.
struct AdministratorMail {
  let host: String
  let address: String

  init(_ settings: HostSettings) {
    host = settings.hostName
    address = settings.administrator
  }

  /// - Parameter subject: one line, in ASCII.
  func send(_ subject: String, _ text: String) throws(HostFailure) {
    let message = """
      From: mailhost <postmaster@\(host)>
      To: <\(address)>
      Subject: [\(host)] \(subject)
      Auto-Submitted: auto-generated
      Content-Type: text/plain; charset=utf-8

      \(text)

      """
    try succeed(
      ["/usr/sbin/sendmail", "-i", "-f", address, "--", address], input: Array(message.utf8), seconds: 60)
  }
}
