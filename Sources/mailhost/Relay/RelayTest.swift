import Glibc
import Linux
import MailHost

/// Sends a mail as any program of this machine does, and follows it until the mail host has it.
struct RelayTest {
  let settings: RelaySettings

  /// Seconds for it to leave.
  private static let patience = 60.0

  /// - Returns: what the mail host has answered.
  func perform() throws(HostFailure) -> String {
    let start = Int(wallSeconds())
    let id = "mailhost-relay.\(start).\(getpid())@\(settings.host)"
    let message = """
      From: root
      To: \(settings.administrator)
      Subject: test of `mailhost relay`
      Message-ID: <\(id)>
      Auto-Submitted: auto-generated

      This is what mail of this machine looks like. There is nothing to do.

      """
    try succeed(["/usr/sbin/sendmail", "-i", "--", "root"], input: Array(message.utf8))
    let end = monotonicSeconds() + Self.patience
    while true {
      let log = try run([
        "/usr/bin/journalctl", "--no-pager", "-q", "-o", "cat", "--since", "@\(start - 1)", "-t", "postfix/cleanup",
        "-t",
        "postfix/smtp", "-t", "postfix/error", "-t", "postfix/bounce",
      ])
      if let delivery = RelayDelivery(log.output, messageID: id) {
        switch delivery.outcome {
        case .sent(let answer): return answer
        case .deferred(let reason):
          throw HostFailure(
            .failed, "the test mail waits here: \(reason)", hint: RelayDelivery.hint(for: reason, settings))
        case .bounced(let reason):
          throw HostFailure(
            .failed, "the test mail was refused: \(reason)", hint: RelayDelivery.hint(for: reason, settings))
        }
      }
      guard monotonicSeconds() < end else {
        throw HostFailure(
          .failed, "the test mail has not left within \(Int(Self.patience)) s, and postfix says nothing of it",
          hint: "`mailhost queue` shows what waits; `journalctl -u 'postfix*' -e` tells more")
      }
      usleep(300_000)
    }
  }
}
