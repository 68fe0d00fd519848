import Glibc
import JSON
import Linux
import MailHost
import Text

/// What rspamd really signs with: a mail of the domain is shown to it as one of this host's own, and goes nowhere.
struct SigningProbe {
  /// Selectors of the signatures of the domain, in order.
  /// - Throws: when rspamd does not answer.
  func selectors(of domain: String) throws(HostFailure) -> [String] {
    let address = "postmaster@\(domain)"
    let mail = """
      From: <\(address)>\r
      To: <\(address)>\r
      Subject: which key signs\r
      Date: Thu, 01 Jan 2026 00:00:00 +0000\r
      Message-ID: <probe@\(domain)>\r
      \r
      A question of mailhost to rspamd, which nobody gets.\r

      """
    let said = try succeed(
      [
        "/usr/bin/rspamc", "--connect=127.0.0.1:11333", "--json", "--ip=127.0.0.1", "--from=\(address)",
        "--rcpt=\(address)", "--timeout=10",
      ], input: Array(mail.utf8), seconds: 30, hint: "see `journalctl -u rspamd -e`")
    guard let start = said.output.firstIndex(of: "{"), let reply = JSONText(parsing: Array(said.output[start...].utf8))
    else { throw HostFailure(.failed, "rspamd's answer cannot be read", evidence: said.evidence) }
    let signatures = reply["dkim-signature"].map { $0.items ?? [$0] } ?? []
    return signatures.compactMap(\.text).map { TagList($0) }.filter { $0["d"]?.lowercased() == domain }
      .compactMap { $0["s"] }
  }

  /// Waits until the selectors are these, whatever their order.
  func await(_ wanted: [String], of domain: String, seconds: Double) throws(HostFailure) {
    let end = monotonicSeconds() + seconds
    var seen: [String] = []
    var failure: HostFailure?
    repeat {
      do throws(HostFailure) {
        seen = try selectors(of: domain)
        if Set(seen) == Set(wanted) { return }
        failure = nil
      } catch {
        // While its processes are replaced.
        failure = error
      }
      usleep(300_000)
    } while monotonicSeconds() < end
    if let failure { throw failure }
    throw HostFailure(
      .failed,
      seen.isEmpty
        ? "rspamd does not sign mail of \(domain)"
        : "rspamd signs mail of \(domain) with \(seen.joined(separator: ", "))",
      hint: "see `journalctl -u rspamd -e`")
  }
}
