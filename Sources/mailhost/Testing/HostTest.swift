import CLinux
import Console
import Glibc
import JSON
import Linux
import MailHost
import MailHostProof
import MailbootCore

/// Tests the host as it is now, and keeps the result for `mailboot status`.
struct HostTest {
  let settings: HostSettings
  let terminal: Terminal

  /// - Parameters:
  ///   - stopsFilter: whether rspamd is really stopped for a moment.
  ///   - show: told of each proof as it is made.
  func perform(stopsFilter: Bool = false, show: (Proof) -> Void) throws(HostFailure) -> HostTestRecord {
    guard geteuid() == 0 else {
      throw HostFailure(.notPermitted, "the test needs root: it makes users, and tries what others may read")
    }
    guard fileStatus(settings.database) != nil else {
      let isLocked = settings.isInVault(settings.database)
      throw HostFailure(
        isLocked ? .locked : .failed,
        isLocked
          ? "\(settings.database) is not there: the vault is locked"
          : "\(settings.database) is not there",
        hint: isLocked ? "`mailboot` unlocks it; then once more" : "`mailhost apply` makes it")
    }
    // One after the other: both would make the same users.
    let lock: FileLock?
    do throws(SystemError) {
      if mkdir("/run/mailboot", 0o755) == 0 { chmod("/run/mailboot", 0o755) }
      lock = try FileLock.taken("/run/mailboot/test.lock")
    } catch {
      throw HostFailure(.failed, error.text)
    }
    guard lock != nil else {
      throw HostFailure(.failed, "another `mailhost test` is under way", hint: "its result is in `mailboot status`")
    }
    let signals = HeldEndings()
    let run = ProofRun(
      ProofSubject(settings), filterSwitch: stopsFilter ? FilterSwitch() : nil, isInterrupted: { signals.haveCome })
    let start = monotonicSeconds()
    let proofs: [Proof]
    do throws(TestTrouble) {
      proofs = try run.perform(DatabaseTestAccounts(settings, signals), show: show)
    } catch {
      if signals.haveCome { throw HostFailure(.interrupted, "interrupted, and nothing is recorded") }
      throw HostFailure(.failed, error.text)
    }
    if signals.haveCome {
      throw HostFailure(.interrupted, "interrupted; the test's users are removed, and nothing is recorded")
    }
    let record = HostTestRecord(
      at: wallSeconds().rounded(.down), seconds: monotonicSeconds() - start, tests: proofs)
    try storeRecord(record.json(), at: HostTestRecord.path)
    return record
  }

  /// For `apply`: shows only what failed.
  /// - Throws: with what failed.
  func mustPass() throws(HostFailure) {
    let record = try perform { _ in }
    guard record.failed.isEmpty else {
      throw HostFailure(
        .failed, "the host does not do all that it is to do",
        evidence: record.failed.map { "\($0.name): \($0.detail)" }, hint: "`mailhost test` shows all of it")
    }
  }
}

extension ProofSubject {
  /// What the settings promise.
  init(_ settings: HostSettings) {
    self.init(
      hostName: settings.hostName, certificate: settings.certificate, certificateKey: settings.certificateKey,
      spool: settings.spool, database: settings.database, dkim: settings.dkim, selector: settings.selector,
      queue: settings.queue, vault: settings.isInVault(settings.queue) ? settings.vault : nil)
    spamFilter = settings.spamFilter
    perUserBayes = settings.perUserBayes
    managesieve = settings.managesieve
    burst = settings.spamFilter && settings.limits.recipientsPerDay > 0 ? settings.limits.burst : nil
    if !settings.ipv4 {
      address = "::1"
      stranger = nil
    }
  }
}
