import HostChecks
import Linux
import MailbootCore

/// Stops rspamd for a moment and starts it again, whatever happens meanwhile.
public struct FilterSwitch: Sendable {
  /// Of the timer that starts it if we cannot.
  private static let net = "mailhost-test-filter"
  private static let unit = "rspamd.service"
  /// Seconds after which the timer does.
  private static let netTime = 90
  /// Seconds that it may take to load what it knows.
  private static let startTime = 40.0

  public init() {}

  /// What is so while it is stopped.
  func whileStopped(_ look: () throws(Silence) -> Finding) throws(TestTrouble) -> Finding {
    // A kill -9 of this test would leave the host without a filter: systemd then starts it.
    try run(
      "/usr/bin/systemd-run", "--quiet", "--collect", "--unit=\(Self.net)", "--on-active=\(Self.netTime)",
      "--timer-property=AccuracySec=1s", "/usr/bin/systemctl", "start", Self.unit)
    var finding: Finding
    do throws(TestTrouble) {
      try run("/usr/bin/systemctl", "stop", Self.unit)
      do throws(Silence) {
        finding = try look()
      } catch {
        finding = .fail(error.reason)
      }
    } catch {
      finding = .skip(error.text)
    }
    try run("/usr/bin/systemctl", "start", Self.unit)
    try? run("/usr/bin/systemctl", "stop", "\(Self.net).timer")
    let reply = probe(
      ProbeRequest(url: "milter://127.0.0.1:11332", timeout: Self.startTime, attemptTimeout: 5))
    if case .silent(let why) = reply { throw TestTrouble("\(Self.unit) was started, and does not answer: \(why)") }
    return finding
  }

  private func run(_ words: String...) throws(TestTrouble) {
    do throws(SystemError) {
      let child = try ChildProcess(words)
      guard child.wait(until: monotonicSeconds() + Self.startTime) == .exited(0) else {
        throw SystemError("`\(words.joined(separator: " "))`: \(printable(child.errorOutput))")
      }
    } catch {
      throw TestTrouble(error.text)
    }
  }
}
