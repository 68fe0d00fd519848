import MachineKit
import SceneSupport
import Testing

/// DKIM keys with which rspamd would sign nothing.
struct SigningKeyTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Run in the vault's directory `dkim`.
    let command: String
    let error: String
    let hint: String
  }

  private static let key = "/vault/dkim/example.org.202001.key"

  static let damages = [
    Damage(
      testDescription: "unreadable", command: "chown root:root example.org.202001.key",
      error: "example.org: _rspamd cannot read \(key): permission denied", hint: "chown _rspamd:_rspamd"),
    Damage(
      testDescription: "missing", command: "rm example.org.202001.key", error: "example.org: \(key) is missing",
      hint: "mailhost dkim generate example.org"),
    Damage(
      testDescription: "unparsable", command: "echo nonsense >example.org.202001.key", error: "example.org: \(key) ",
      hint: "restore it from a backup, or make a new one"),
  ]

  @Test(arguments: damages)
  func aBrokenKeyKeepsTheHostLocked(_ damage: Damage) async throws {
    try await MailHosts.with(.debian12) { try await Self.expectFailure($0, damage) }
  }

  @Test func anUnreadableKeyKeepsDebian13LockedToo() async throws {
    try await MailHosts.with(.debian13) { try await Self.expectFailure($0, Self.damages[0]) }
  }

  private static func expectFailure(_ host: MailHost, _ damage: Damage) async throws {
    try await host.changeVault("cd dkim; \(damage.command)")
    let attempt = try await host.unlock(configuration: Settings.toml(checks: ["database", "dkim"]))
    attempt.expectFailure(13, error: "the check \"dkim\" failed: \(damage.error)", hint: damage.hint)
  }
}
