import MachineKit
import SceneSupport
import Testing

/// A host whose services cannot run, and whose mount point takes no files, while the vault is not mounted.
struct GuardTests {
  private static let dovecot = """
    [[service]]
    name = "dovecot"
    probe = "imaps://127.0.0.1:993"

    """
  /// Two services that start in little time.
  private static let settings = Settings.toml(services: Settings.redis + dovecot)

  @Test(arguments: Release.both)
  func upgradesAndStartsByHandStartNothingWhileLocked(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      // Whoever upgrades restarts only what is enabled.
      try await host.guest.succeed("systemctl enable --quiet postfix dovecot dovecot.socket redis-server")
      try await host.attempt("mailboot guard install").expectSuccess("guarded")

      let starts = try await host.guest.run(
        """
        for unit in redis-server dovecot dovecot.socket postfix postfix@-; do
          begin=$(date +%s%N)
          systemctl start $unit 2>/dev/null && echo "$unit started"
          echo "$unit $((($(date +%s%N) - begin) / 1000000)) ms" >&2
        done
        """)
      #expect(starts.stdout == "")
      for line in starts.stderr.split(separator: "\n") {
        let milliseconds = try #require(Int(line.split(separator: " ").dropLast().last ?? ""))
        #expect(milliseconds < 10_000, "a start fails at once: \(starts.stderr)")
      }
      try await Self.expectUntouched(host)

      let upgrade = try await host.guest.run(
        "DEBIAN_FRONTEND=noninteractive apt-get install --reinstall --yes postfix dovecot-core", timeout: .seconds(900))
      #expect(upgrade.status == 0, "\(upgrade.stdout)\(upgrade.stderr)")
      #expect(upgrade.stdout.contains("Setting up postfix"), "\(upgrade.stdout)")
      try await Self.expectUntouched(host)
      #expect(try await host.guest.run("mailboot guard status").status == 0)
    }
  }

  private static func expectUntouched(_ host: MailHost) async throws {
    let up = "list-units --plain --no-legend --state=active,activating,reloading,deactivating"
    #expect(try await host.guest.succeed("systemctl \(up) 'postfix*' 'dovecot*' 'redis*' 'rspamd*'") == "")
    #expect(try await host.guest.succeed("ss -Htln 'sport = :25 or sport = :993'") == "")
    #expect(try await host.guest.succeed("ls -A /vault") == "")
    #expect(try await host.guest.run("touch /vault/file").stderr.contains("Operation not permitted"))
  }

  @Test(arguments: Release.both)
  func installIsSaidOnceAndRemoveLeavesNothing(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let look = "find /etc/systemd/system | sort; lsattr -d /vault"
      let before = try await host.guest.succeed(look)
      let unguarded = try await host.attempt("mailboot guard status")
      #expect(unguarded.status == 3)
      #expect(unguarded.stdout.contains("not guarded  dovecot.socket"), "\(unguarded.stdout)")

      let first = try await host.attempt("mailboot guard install")
      first.expectSuccess("guarded")
      first.expectNothingLeftBehind()
      let again = try await host.attempt("mailboot guard install")
      again.expectSuccess("guarded already")
      let status = try await host.attempt("runuser -u alice -- mailboot guard status --format json")
      #expect(status.status == 0, "\(status.stdout)\(status.stderr)")
      for unit in [
        "redis-server.service", "rspamd.service", "dovecot.service", "dovecot.socket", "postfix.service",
        "postfix@.service",
      ] {
        #expect(status.stdout.contains("\"unit\": \"\(unit)\""), "\(status.stdout)")
      }
      #expect(try await host.guest.succeed("lsattr -d /vault").contains("i"))
      #expect(try await host.guest.succeed("systemctl show --value -p NeedDaemonReload dovecot") == "no\n")

      try await host.attempt("mailboot guard remove").expectSuccess("no longer guarded")
      try await host.attempt("mailboot guard remove").expectSuccess("not guarded already")
      #expect(try await host.guest.succeed(look) == before)
      try await host.guest.succeed("systemctl start dovecot.socket && systemctl stop dovecot.socket")
    }
  }

  @Test(arguments: Release.both)
  func anUnmountOfAnyKindStopsTheServicesAndTheNextUnlockStartsThem(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.configure(Self.settings)
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      try await Self.expectUnmountsStopIt(host)
    }
  }

  @Test(arguments: Release.both)
  func withoutAnFstabLineItIsTheSame(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.configure(Self.settings)
      try await host.guest.succeed("sed -i '/vault/d' /etc/fstab && systemctl daemon-reload")
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      #expect(try await host.guest.run("systemctl start dovecot", timeout: .seconds(20)).status != 0)
      try await Self.expectUnmountsStopIt(host)
    }
  }

  private static func expectUnmountsStopIt(_ host: MailHost) async throws {
    try await host.unlock().expectSuccess("ready in")
    try await host.guest.succeed("systemctl stop vault.mount")
    try await expectStopped(host)
    // A start does not mount by itself.
    #expect(try await host.guest.run("systemctl start dovecot", timeout: .seconds(20)).status != 0)
    #expect(try await host.guest.succeed("lsattr -d /vault").contains("i"))

    try await host.unlock().expectSuccess("ready in")
    try await host.guest.succeed("umount --lazy /vault")
    try await expectStopped(host)
    try await host.unlock().expectSuccess("ready in")
    #expect(try await host.guest.run("mailboot guard status").status == 0)
  }

  private static func expectStopped(_ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      for try in {1..100}; do
        systemctl is-active dovecot redis-server | grep --quiet -e '^active' -e 'ing$' || exit 0
        sleep 0.2
      done
      systemctl is-active dovecot redis-server
      exit 1
      """)
  }

  @Test(arguments: Release.both)
  func theDirectoryBelowAMountedVaultIsReachedWithoutDisturbingIt(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.unlock("--no-start", configuration: Self.settings).expectSuccess("mounted and verified")
      let inside = try await host.guest.succeed("lsattr -d /vault; findmnt -n /vault")
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      #expect(try await host.guest.succeed("lsattr -d /vault; findmnt -n /vault") == inside)
      let nobody = try await host.attempt("runuser -u alice -- mailboot guard status")
      #expect(nobody.status == 0 && nobody.stdout.contains("unknown      /vault"), "\(nobody.stdout)")
      try await host.guest.succeed("systemctl stop vault.mount")
      #expect(try await host.guest.succeed("lsattr -d /vault").contains("i"))

      try await host.unlock("--no-start").expectSuccess("mounted and verified")
      try await host.attempt("mailboot guard remove").expectSuccess("no longer guarded")
      try await host.guest.succeed("systemctl stop vault.mount; touch /vault/file")
    }
  }

  @Test func whatIsNotAsTheConfigurationHasItIsSaid() async throws {
    try await MailHosts.with(.debian12) { host in
      let file = "/etc/systemd/system/dovecot.service.d/50-mailboot-guard.conf"
      try await host.configure(Self.settings)
      try await host.guest.succeed("mkdir -p $(dirname \(file)); echo '[Unit]' >\(file); touch /vault/stray")
      let install = try await host.attempt("mailboot guard install")
      #expect(install.status == 0)
      #expect(install.stderr.contains("warning: \(file) is not ours"), "\(install.stderr)")
      #expect(install.stderr.contains("is not empty (stray)"), "\(install.stderr)")
      #expect(
        try await host.guest.succeed("cat \(file); ls -A /vault; lsattr -d /vault | grep -c i || true")
          == "[Unit]\nstray\n0\n")
      #expect(try await host.guest.run("mailboot guard status").status == 3)

      try await host.guest.succeed("rm \(file) /vault/stray && mailboot guard install")
      try await host.configure(Settings.toml(vault: "mount = \"/srv/vault\""))
      let changed = try await host.attempt("mailboot guard status")
      #expect(changed.status == 3)
      #expect(changed.stdout.contains("differs      redis-server.service"), "\(changed.stdout)")
      #expect(changed.stdout.contains("stale        dovecot.service"), "\(changed.stdout)")
      #expect(changed.stdout.contains("missing      /srv/vault"), "\(changed.stdout)")
      try await host.attempt("mailboot guard install").expectSuccess("guarded")
      #expect(try await host.guest.run("mailboot guard status").status == 0)
      #expect(try await host.guest.succeed("lsattr -d /srv/vault").contains("i"))
      #expect(
        try await host.guest.run("test -e \(file) || touch /vault/x").status == 0, "the former ones are free again")
    }
  }

  @Test func onlyRootChangesIt() async throws {
    try await MailHosts.with(.debian12) { host in
      for verb in ["guard install", "guard remove"] {
        try await host.attempt("runuser -u alice -- mailboot \(verb)").expectFailure(
          77, error: "\(verb) must be run as root", hint: "sudo mailboot \(verb)")
      }
    }
  }

  @Test(arguments: Release.both)
  func thePackageOffersItAndTakesItBack(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      #expect(try await host.guest.run("mailboot guard status").status == 3, "nobody was asked: nothing was done")
      try await host.guest.succeed(
        """
        echo "mailboot mailboot/guard boolean true" | debconf-set-selections
        DEBIAN_FRONTEND=noninteractive /var/lib/dpkg/info/mailboot.postinst configure ""
        """)
      #expect(try await host.guest.run("mailboot guard status").status == 0)
      try await host.guest.succeed("grep -x /usr/sbin/mailboot /etc/shells && getent group mailboot")

      try await host.guest.succeed("dpkg --remove mailboot")
      let left = "find /etc/systemd/system -name '50-mailboot*'; grep mailboot /etc/shells; lsattr -d /vault | grep i"
      #expect(try await host.guest.run(left).stdout == "")
      try await host.guest.succeed("dpkg --purge mailboot")
      #expect(try await host.guest.run("debconf-show mailboot").stdout == "")
    }
  }
}
