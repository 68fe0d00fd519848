import MachineKit
import SceneSupport
import Testing

/// Hosts that were not made for `mailboot` come up with nothing but `mailboot.toml`, often an empty one.
struct AdoptedHostTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let host: AdoptedHost
    let release: Release
    var testDescription: String { "\(host.testDescription), \(release)" }
  }

  static let cases = AdoptedHost.all.flatMap { host in Release.both.map { Case(host: host, release: $0) } }

  @Test(arguments: cases)
  func aHostWeDidNotMakeComesUp(_ adopted: Case) async throws {
    try await MailHosts.with(adopted.release) { host in
      try await adopted.host.make(host)
      let unlock = try await adopted.host.walk(host)
      #expect(
        unlock.stderr.contains(#/ +skip +check database .*neither postfix nor dovecot asks /vault/maildb/#),
        "\(unlock.stderr)")
      #expect(unlock.stderr.contains(#/ +ok +check dkim /#), "\(unlock.stderr)")
      #expect(unlock.stderr.contains(#/ +ok +check maps /#), "\(unlock.stderr)")
    }
  }

  /// All that was ever seen to keep a working host locked, at once.
  @Test(arguments: Release.both)
  func whatHarmsNoMailOnlyWarns(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.changeVault(
        """
        set -e
        sqlite3 maildb/maildb.sqlite3 "PRAGMA user_version=7; ALTER TABLE users ADD COLUMN panel TEXT;
          UPDATE users SET id = id + 10;
          INSERT INTO users(id,domain_id,password,email,active) VALUES
            (1,1,'x','SENDER@EXAMPLE.ORG',1), (2,1,'x','gone@example.org',0), (99,99,'x','orphan@nowhere.example',1)"
        chown www-data:vmail maildb/maildb.sqlite3; chmod 0660 maildb/maildb.sqlite3
        cd dkim
        openssl genrsa 1024 >example.net.202001.key 2>/dev/null
        rm example.net.202001.txt
        sed -i 's/;/\\\\;/g' example.org.202001.txt
        """)
      try await host.guest.succeed(
        """
        set -e
        cd /etc/postfix/sqlite
        printf 'dbpath = /vault/maildb/maildb.sqlite3\nquery = %s\n' "SELECT email FROM users WHERE email='%s' AND active=1" >self.cf
        postconf -e 'virtual_alias_maps = sqlite:/etc/postfix/sqlite/aliases.cf, sqlite:/etc/postfix/sqlite/self.cf'
        chmod 0644 /etc/letsencrypt/live/mail.example.org/privkey.pem
        """)
      let unlock = try await host.unlock()
      unlock.expectSuccess("ready in ")
      #expect(
        unlock.stdout.contains(", with 3 warnings") || unlock.stderr.contains(", with 3 warnings"), "\(unlock.stderr)")
      for check in ["database", "dkim", "certificate"] {
        #expect(unlock.stderr.contains(try Regex(" +warn +check \(check) ")), "\(unlock.stderr)")
      }
      #expect(unlock.stderr.contains("for alice@example.org (not for SENDER@EXAMPLE.ORG"), "\(unlock.stderr)")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0, "\(status.stdout)")
      let metrics = try await host.guest.succeed("mailboot status --format prometheus")
      #expect(metrics.contains("mailboot_check_failed{check=\"dkim\"} 1"))
      let tools = "/usr/local/lib/mailboot-machine"
      try await host.guest.succeed(
        "\(tools)/send-mail kept && \(tools)/read-mail kept --wait 60", timeout: .seconds(120))
    }
  }

  /// It is the user postfix; what root asks shows nothing of that, and each session on port 25 would hang.
  @Test func aDatabaseThatProxymapCannotReadKeepsTheDoorShut() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("postconf -e virtual_mailbox_maps=proxy:sqlite:/etc/postfix/sqlite/mailboxes.cf")
      let settings = Settings.toml(checks: ["maps"])
      let hidden = try await host.unlock(configuration: settings)
      hidden.expectFailure(
        13,
        error:
          "\"maps\" failed: /vault/maildb/maildb.sqlite3 is asked through proxymap, and the user postfix cannot read it",
        hint: "without `proxy:`")
      try await host.changeVault("chgrp postfix maildb/maildb.sqlite3")
      let readable = try await host.unlock("--no-start", configuration: settings)
      readable.expectSuccess("mounted and verified")
    }
  }

  @Test func aStrictCheckKeepsMailDownByAWarning() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.changeVault("chmod 0660 maildb/maildb.sqlite3")
      let toml = Settings.toml(checks: ["database"]).replacing("database = \"require\"", with: "database = \"strict\"")
      let strict = try await host.unlock(configuration: toml)
      strict.expectFailure(
        13, error: "the check \"database\" failed: /vault/maildb/maildb.sqlite3 is root:vmail 0660", hint: "chmod 0640")
      let required = try await host.unlock(configuration: Settings.toml(checks: ["database"]))
      required.expectSuccess("with 1 warning")
    }
  }
}
