import Glibc
import Linux
import MailHost
import MailHostProof

/// What rspamd has counted in redis, through redis's own program.
struct SendingStore {
  private let program: String

  /// - Throws: when nobody can look into it now.
  init(_ settings: HostSettings, redisName: String) throws(HostFailure) {
    program = "/usr/bin/\(redisName)-cli"
    guard settings.countsSending else {
      throw HostFailure(
        .failed,
        settings.spamFilter
          ? "no sending is limited on this host" : "no sending is counted on this host: spam_filter is \"\"",
        hint: "[limits] in mailhost.toml, and `mailhost apply`")
    }
    let isInVault = settings.isInVault(settings.redisDirectory)
    guard !isInVault || Vault(settings: settings, root: HostRoot(prefix: "")).isOpen else {
      throw HostFailure(
        .locked, "the counts are in the vault, and the vault is locked", hint: "`mailboot` unlocks it; then once more")
    }
    guard fileStatus(program) != nil else {
      throw HostFailure(.failed, "\(program) is not there", hint: "`mailhost apply` installs it")
    }
  }

  /// Of all accounts, or of one; the test's own are left out.
  func counts(of user: String? = nil, now: Double) throws(HostFailure) -> [SendingCounts] {
    let text = try eval(SendingScripts.counts, [SendingScripts.users], user.map { [$0] } ?? [])
    guard let list = SendingCounts.list(text, now: now) else {
      throw HostFailure(.failed, "what redis has counted cannot be understood", evidence: [String(text.prefix(200))])
    }
    return list.filter { !$0.user.hasSuffix("@\(TestDomain.name)") }
  }

  /// Nothing is left of what the test's users have sent: the next test begins anew.
  func forgetTests() throws(HostFailure) {
    let text = try eval(SendingScripts.counts, [SendingScripts.users], [])
    for counts in SendingCounts.list(text, now: 0) ?? [] where counts.user.hasSuffix("@\(TestDomain.name)") {
      _ = try eval(SendingScripts.forget, SendingScripts.keys(counts.user), [counts.user])
    }
  }

  func clear(_ user: String) throws(HostFailure) {
    _ = try eval(SendingScripts.clear, SendingScripts.keys(user), [user])
  }

  func told(_ user: String, _ limits: [SendingLimit], at now: Double) throws(HostFailure) {
    _ = try eval(SendingScripts.told, SendingScripts.keys(user), [String(Int(now))] + limits.map(\.rawValue))
  }

  private func eval(_ script: String, _ keys: [String], _ arguments: [String]) throws(HostFailure) -> String {
    let said = try run(
      [program, "-e", "--raw", "-h", "127.0.0.1", "-p", "6379", "EVAL", script, String(keys.count)] + keys
        + arguments, seconds: 30)
    guard said.status == 0 else {
      throw HostFailure(
        .failed, "redis, which has the counts, does not answer", evidence: said.evidence,
        hint: "`mailboot status` shows why; mail goes out meanwhile, and is not counted")
    }
    return said.output
  }
}
