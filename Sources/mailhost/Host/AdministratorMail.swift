import Linux
import MailHost
import Text

/// A mail of this host's own to its administrator. It goes the way of local mail: signed, and not counted for anybody.
struct AdministratorMail {
  let settings: HostSettings

  func send(subject: String, _ text: String) throws(HostFailure) {
    let host = settings.hostName
    let message = """
      From: mailhost <postmaster@\(host)>
      To: <\(settings.administrator)>
      Subject: [\(host)] \(visibleInLine(subject))
      Auto-Submitted: auto-generated
      Content-Type: text/plain; charset=utf-8

      \(text)

      """
    try succeed(
      ["/usr/sbin/sendmail", "-i", "-f", settings.administrator, "--", settings.administrator],
      input: Array(message.utf8), seconds: 60)
  }
}
