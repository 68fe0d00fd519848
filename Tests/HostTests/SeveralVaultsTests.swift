import MachineKit
import SceneSupport
import Testing

/// A host with two encrypted directories: the mail's, and one for backups that a service of its own waits for.
struct SeveralVaultsTests {
  private static let second = "the other passphrase"

  /// A service that lives in the second vault.
  private static let unit = """
    [Unit]
    Description=writes into the second vault
    [Service]
    ExecStart=/bin/sh -c 'cd /vault-backup && exec sleep infinity'
    """

  private static let services = Settings.redis + "[[service]]\nname = \"scene-backup\"\nvaults = [\"backup\"]\n"

  /// - Parameter passphrase: of the second one.
  private static func prepare(_ host: MailHost, _ passphrase: String) async throws {
    try await host.guest.succeed(
      """
      set -e
      mkdir -m 700 /backup_crypt
      printf %s \(GuestTools.quoted(passphrase)) >/run/second
      gocryptfs -q -init -scryptn 12 -passfile /run/second /backup_crypt
      printf '%s\\n' \(GuestTools.quoted(unit)) >/etc/systemd/system/scene-backup.service
      systemctl daemon-reload
      mkdir -p /etc/mailboot/mailboot.toml.d
      printf '[[vault]]\\nname = "backup"\\ndevice = "/backup_crypt"\\n' >/etc/mailboot/mailboot.toml.d/50-vault-backup.toml
      """)
    try await host.configure(Settings.toml(services: services))
  }

  private static func isUp(_ host: MailHost) async throws -> [String] {
    try await host.guest.run("systemctl is-active redis-server scene-backup; true").stdout.split(separator: "\n")
      .map(String.init)
  }

  /// Everybody else's view of what is mounted.
  private static func mounts(_ host: MailHost) async throws -> String {
    try await host.guest.run("findmnt -nro TARGET -t fuse.gocryptfs; true").stdout
  }

  @Test(arguments: Release.both)
  func onePassphraseOpensBothAndLockClosesBoth(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.prepare(host, GuestCredentials.vaultPassphrase)
      let plan = try await host.attempt("mailboot plan")
      #expect(plan.stdout.contains("open backup") && plan.stdout.contains("when backup is mounted"), "\(plan.stdout)")
      let guarded = try await host.attempt("mailboot guard install")
      #expect(guarded.status == 0, "\(guarded.stderr)")
      // A start by hand fails as long as its vault is closed.
      #expect(try await host.guest.run("systemctl start scene-backup").status != 0)

      let unlocked = try await host.unlock()
      unlocked.expectSuccess("ready in")
      #expect(try await Self.isUp(host) == ["active", "active"])
      #expect(try await Self.mounts(host) == "/vault\n/vault-backup\n")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0)
      #expect(status.stdout.contains("  ok    vault   /vault_crypt on /vault, "), "\(status.stdout)")
      #expect(status.stdout.contains("  ok    backup  /backup_crypt on /vault-backup, "), "\(status.stdout)")
      #expect(status.stdout.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(status.stdout)")
      let json = try await host.guest.succeed(
        "mailboot status --format json | python3 -c 'import json,sys; print([(v[\"name\"], v[\"open\"]) for v in json.load(sys.stdin)[\"vaults\"]])'"
      )
      #expect(json == "[('vault', True), ('backup', True)]\n")

      let again = try await host.attempt("mailboot")
      again.expectSuccess("ready already")
      again.expectNothingLeftBehind()
      // Whoever sits in the second vault keeps both open.
      let busy = try await host.attempt("cd /vault-backup; mailboot lock; exit $?")
      busy.expectFailure(16, error: "the vault is in use", hint: "cd /")
      let locked = try await host.attempt("mailboot lock")
      #expect(locked.status == 0, "\(locked.stderr)")
      #expect(try await Self.mounts(host) == "")
      #expect(try await host.guest.run("pgrep -x gocryptfs").status != 0)
      #expect(try await Self.isUp(host) == ["inactive", "inactive"])
      #expect(try await host.guest.run("touch /vault-backup/stray").status != 0, "the bare mount point is immutable")

      // A reboot leaves both closed and the service waiting; the same passphrase brings both back.
      try await host.guest.powerCut()
      try await host.guest.bootAgain()
      #expect(try await Self.mounts(host) == "")
      #expect(try await Self.isUp(host)[1] == "inactive")
      let locked2 = try await host.attempt("mailboot status")
      #expect(locked2.stdout.contains("/backup_crypt, closed"), "\(locked2.stdout)")
      try await host.unlock().expectSuccess("ready in")
      #expect(try await Self.isUp(host) == ["active", "active"])
      #expect(try await Self.mounts(host) == "/vault\n/vault-backup\n")
    }
  }

  @Test(arguments: Release.both)
  func anotherPassphraseIsAskedForAfterMailIsUp(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.prepare(host, Self.second)
      let run = try await TerminalRun(host, "mailboot")
      try await run.expect("Passphrase of the vault: ")
      try run.type(GuestCredentials.vaultPassphrase + "\n")
      try await run.expect("Passphrase of the vault backup: ")
      #expect(try await Self.isUp(host) == ["active", "inactive"], "mail does not wait for the second question")
      let degraded = try await host.guest.run("mailboot status")
      #expect(degraded.status == 3)
      #expect(
        degraded.stdout.contains(
          "- the vault backup is closed, and scene-backup waits for it: `mailboot` brings it up"),
        "\(degraded.stdout)")
      try run.type(GuestTools.wrongPassphrase + "\n")
      try await run.expect("not accepted, try again")
      try await run.expect("Passphrase of the vault backup (2 of 3): ")
      try run.type(Self.second + "\n")
      let (said, _) = try await run.end(0)
      #expect(said.contains("ready in"), "\(said)")
      #expect(try await Self.isUp(host) == ["active", "active"])
      try await host.attempt("mailboot lock --emergency").expectSuccess("locked")
      #expect(try await Self.mounts(host) == "")
      #expect(try await host.guest.run("pgrep -x gocryptfs").status != 0, "no key is left in memory")
    }
  }

  @Test(arguments: Release.both)
  func withoutThePassphraseMailComesUpAndSaysWhatToDo(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.prepare(host, Self.second)
      let unlocked = try await host.unlock()
      unlocked.expectSuccess("without the vault backup")
      #expect(
        unlocked.stderr.contains(
          "warning: the vault backup stays closed: its passphrase is another one; not started: scene-backup"),
        "\(unlocked.stderr)")
      #expect(try await Self.isUp(host) == ["active", "inactive"])
      let verified = try await host.attempt("mailboot verify")
      verified.expectSuccess("all is well")
      #expect(verified.stderr.contains("the vault backup is closed: not asked: scene-backup"))
      // On the open vault a passphrase is for the other one.
      let wrong = try await host.attempt("mailboot --stdin", stdin: GuestTools.wrongPassphrase)
      wrong.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      let right = try await host.attempt("mailboot --stdin", stdin: Self.second)
      right.expectSuccess("ready in")
      #expect(try await Self.isUp(host) == ["active", "active"])
      try await host.attempt("mailboot lock").expectSuccess("locked")

      // Its key in the first vault opens it unasked; one that others may read does not.
      try await host.changeVault("mkdir -m 700 keys; cp /run/second keys/backup; chmod 644 keys/backup")
      try await host.guest.succeed(
        "echo 'key-file = \"/vault/keys/backup\"' >>/etc/mailboot/mailboot.toml.d/50-vault-backup.toml")
      let readable = try await host.unlock()
      readable.expectSuccess("without the vault backup")
      #expect(readable.stderr.contains("/vault/keys/backup is not used: others may read it"), "\(readable.stderr)")
      try await host.guest.succeed("chmod 600 /vault/keys/backup")
      try await host.attempt("mailboot").expectSuccess("ready in")
      #expect(try await Self.isUp(host) == ["active", "active"])
      try await host.attempt("mailboot lock").expectSuccess("locked")

      // A disk that is not there.
      try await host.guest.succeed("mv /backup_crypt /elsewhere")
      let missing = try await host.unlock()
      missing.expectSuccess("without the vault backup")
      #expect(missing.stderr.contains("there is no device /backup_crypt"), "\(missing.stderr)")
      #expect(try await Self.isUp(host) == ["active", "inactive"])
      #expect(try await host.guest.run("mailboot status").status == 3)
    }
  }
}
