import Console
import MailHost
import MailHostProof

/// Tests the host as it is now.
struct HostTest {
  let settings: HostSettings
  let terminal: Terminal

  /// - Throws: with what failed.
  func mustPass() throws(HostFailure) {}
}
