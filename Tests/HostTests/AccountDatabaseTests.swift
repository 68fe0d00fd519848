import MachineKit
import SceneSupport
import Testing

/// Account databases that keep the services from starting. Each run ends locked again.
struct AccountDatabaseTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Run in the vault's directory `maildb`.
    let command: String
    let error: String
    let hint: String?
  }

  private static let file = "/vault/maildb/maildb.sqlite3"

  static let damages = [
    Damage(
      testDescription: "missing", command: "rm maildb.sqlite3", error: "\(file) is missing",
      hint: "mailcfg adddom DOMAIN"),
    Damage(
      testDescription: "empty", command: ": >maildb.sqlite3", error: "\(file) is empty (0 bytes)",
      hint: "restore it from a backup"),
    Damage(
      testDescription: "text", command: "echo 'not a database, but as long as a header would be' >maildb.sqlite3",
      error: "\(file) is not an SQLite database", hint: "restore it from a backup"),
    Damage(
      testDescription: "a damaged page",
      command: "dd if=/dev/urandom of=maildb.sqlite3 bs=4096 count=1 seek=2 conv=notrunc",
      error: "\(file) is damaged: ", hint: ".recover"),
    Damage(
      testDescription: "cut off", command: "truncate -s 12288 maildb.sqlite3", error: "\(file) is damaged: ",
      hint: ".recover"),
    Damage(
      testDescription: "another schema", command: "sqlite3 maildb.sqlite3 'DROP TABLE aliases'",
      error: "table aliases is missing", hint: "is this the account database?"),
    Damage(
      testDescription: "a missing column",
      command: "sqlite3 maildb.sqlite3 'ALTER TABLE users RENAME COLUMN active TO enabled'",
      error: "column users.active is missing", hint: "is this the account database?"),
    Damage(
      testDescription: "journal mode WAL", command: "sqlite3 maildb.sqlite3 'PRAGMA journal_mode=WAL'",
      error: "\(file) is in journal mode WAL", hint: "PRAGMA journal_mode=DELETE"),
    Damage(
      testDescription: "readable by nobody else", command: "chmod 600 maildb.sqlite3",
      error: "\(file) is root:vmail 0600: only root can read it", hint: "chmod 0640 \(file)"),
    Damage(
      testDescription: "writable by everybody", command: "chmod 666 maildb.sqlite3",
      error: "\(file) is root:vmail 0666: everybody may write it", hint: "chown root:vmail \(file)"),
  ]

  @Test(arguments: damages)
  func aBrokenDatabaseKeepsTheHostLocked(_ damage: Damage) async throws {
    try await MailHosts.with(.debian12) { try await Self.expectFailure($0, damage) }
  }

  @Test func aDamagedDatabaseKeepsDebian13LockedToo() async throws {
    try await MailHosts.with(.debian13) { try await Self.expectFailure($0, Self.damages[3]) }
  }

  private static func expectFailure(_ host: MailHost, _ damage: Damage) async throws {
    try await host.changeVault("cd maildb; \(damage.command)")
    let attempt = try await host.unlock(configuration: Settings.toml(checks: ["database", "dkim"]))
    attempt.expectFailure(13, error: "the check \"database\" failed: \(damage.error)", hint: damage.hint)
    let status = try await host.attempt("mailboot status")
    #expect(status.status == 2)
    #expect(status.stdout.contains("failed at check database"), "\(status.stdout)")
  }

  @Test func anInterruptedChangeIsRolledBack() async throws {
    try await MailHosts.with(.debian12) { host in
      // As a power cut leaves it: changed pages in the file, the old ones in its journal.
      try await host.changeVault(
        """
        python3 - <<'END'
        import os, sqlite3
        database = sqlite3.connect("maildb/maildb.sqlite3", isolation_level=None)
        database.execute("PRAGMA cache_size=1")
        database.execute("PRAGMA cache_spill=1")
        database.execute("BEGIN IMMEDIATE")
        database.execute("DELETE FROM users")
        for index in range(2000):
            database.execute("INSERT INTO domains(name) VALUES(?)", (f"half-written-{index}.example",))
        os._exit(0)
        END
        test -s maildb/maildb.sqlite3-journal
        """)
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml(checks: ["database"]))
      attempt.expectSuccess("mounted and verified")
      #expect(attempt.stderr.contains("2 domains, 2 users, 1 alias; an interrupted change was rolled back"))
      try await host.guest.succeed("test ! -e /vault/maildb/maildb.sqlite3-journal")
    }
  }
}
