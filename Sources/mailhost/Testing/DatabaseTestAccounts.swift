import Glibc
import Linux
import MailAccounts
import MailHost
import MailHostProof
import SecretMemory

/// The test's users in the account database of this host.
struct DatabaseTestAccounts: TestAccounts {
  private let settings: HostSettings
  private let signals: HeldEndings

  init(_ settings: HostSettings, _ signals: HeldEndings) {
    self.settings = settings
    self.signals = signals
  }

  func make(_ users: [TestUser]) throws(TestTrouble) {
    let problems = MailDirectories(spool: settings.spool, sieve: settings.sieve).make(domain: TestDomain.name)
    if let problem = problems.first { throw TestTrouble(problem) }
    do {
      let database = try AccountDatabase(path: settings.database, .change)
      for user in users {
        // The cheapest one to verify: the servers do it a dozen times.
        var password = try SecretBytes(capacity: user.password.utf8.count)
        for byte in user.password.utf8 { try password.append(byte) }
        let hash = try PasswordHash.make(password, scheme: .argon2id)
        let email = try EmailAddress(user.address)
        _ = try database.perform(.addUser(email, hash, Limits(), isActive: true, createDomain: true))
      }
    } catch {
      throw TestTrouble("the test's users cannot be made: \(error)")
    }
  }

  func remove() throws(TestTrouble) {
    // Where redis is down there is nothing to be tested, and what stays counted ends by itself.
    if settings.countsSending, let facts = try? HostFacts.here(settings) {
      try? SendingStore(settings, redisName: facts.versions.redisName).forgetTests()
    }
    do {
      let database = try AccountDatabase(path: settings.database, .change)
      // A signal that has come at this very moment is kept for later.
      while try !isRemoved(from: database) { _ = signals.haveCome }
    } catch {
      throw TestTrouble("the test's users cannot be removed: \(error)")
    }
    for parent in [settings.spool, settings.sieve] { try removeDirectory("\(parent)/\(TestDomain.name)") }
  }

  /// - Returns: false when a signal keeps the database from being changed.
  private func isRemoved(from database: borrowing AccountDatabase) throws(AccountError) -> Bool {
    do throws(AccountError) {
      _ = try database.perform(.removeDomain(TestDomain.name))
      return true
    } catch .noDomain {
      return true
    } catch .interrupted {
      return false
    }
  }

  /// As the mail user, to whom these directories belong and who could have put links there: root would follow them elsewhere.
  private func removeDirectory(_ path: String) throws(TestTrouble) {
    // A mail may be on its way into it.
    for isLast in [false, false, true] where fileStatus(path) != nil {
      try removeDirectory(path, isLast: isLast)
      if fileStatus(path) != nil { usleep(300_000) }
    }
  }

  private func removeDirectory(_ path: String, isLast: Bool) throws(TestTrouble) {
    do throws(SystemError) {
      let removal = try ChildProcess([
        "/usr/bin/setpriv", "--reuid=vmail", "--regid=vmail", "--init-groups", "--", "/bin/rm", "-rf",
        "--one-file-system", "--", path,
      ])
      _ = removal.wait(until: monotonicSeconds() + 10)
      // The parent may be closed to that user. An empty directory is all that this removes.
      _ = path.withCString { rmdir($0) }
      if isLast, fileStatus(path) != nil { throw SystemError("\(path) cannot be removed: \(removal.errorOutput)") }
    } catch {
      throw TestTrouble(error.text)
    }
  }
}
