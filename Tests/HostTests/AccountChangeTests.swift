import Foundation
import MachineKit
import SceneSupport
import Testing

/// What mailcfg changes, postfix and dovecot know at once: real logins, real mail.
struct AccountChangeTests {
  @Test(arguments: Release.both)
  func aUsersWholeLife(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      #expect(try await host.mailcfg("adduser dora@new.example --generate", status: 1) == "")
      let added = try await host.guest.run("mailcfg adddom New.Example")
      #expect(added.stdout == "added domain\n")
      // Else it is learnt at the next reboot, when nothing comes up.
      #expect(added.stderr.contains("warning: new.example has no DKIM key"), "\(added.stderr)")
      let advice = try #require(added.stderr.split(separator: "`").first { $0.hasPrefix("mailhost dkim generate ") })
      try await host.guest.succeed(String(advice))
      #expect(try await host.guest.run("mailboot verify").status == 0, "the advice is good")
      #expect(try await host.mailcfg("adddom new.example") == "", "it is there already")
      for directory in ["vmail", "sieve"] {
        #expect(
          try await host.guest.succeed("stat -c '%U:%G %a' /vault/\(directory)/new.example") == "vmail:vmail 770\n")
      }
      let printed = try await host.mailcfg("adduser Dora@new.example --generate").split(separator: "\n").map(
        String.init)
      #expect(printed.contains("added user"))
      let first = try #require(printed.first { $0 != "added user" })
      #expect(try await host.logsIn("dora@new.example", first))
      #expect(try await !host.logsIn("dora@new.example", first + "x"))
      #expect(try await host.send("first", to: "dora@new.example") == nil)
      #expect(try await host.arrives("first", for: "dora@new.example", first))

      #expect(try await host.mailcfg("passwd dora@new.example --stdin", stdin: "second one\n") == "password updated")
      #expect(try await !host.logsIn("dora@new.example", first))
      #expect(try await host.logsIn("dora@new.example", "second one"))
      try await host.mailcfg("verify dora@new.example --stdin", stdin: "second one")
      try await host.mailcfg("verify dora@new.example --stdin", stdin: first, status: 1)
      try await host.mailcfg("passwd dora@new.example --stdin", stdin: "", status: 64)
      #expect(try await host.logsIn("dora@new.example", "second one"), "an empty password changes nothing")

      #expect(try await host.mailcfg("disable dora@new.example") == "disabled user")
      #expect(try await host.mailcfg("lsuser new.example") == "dora@new.example (DISABLED)")
      #expect(try await !host.logsIn("dora@new.example", "second one"))
      #expect(try #require(await host.send("refused", to: "dora@new.example")).contains("550"))
      #expect(try await host.mailcfg("enable dora@new.example") == "enabled user")
      #expect(try await host.logsIn("dora@new.example", "second one"))

      #expect(try await host.mailcfg("rmuser dora@new.example --yes --purge-mail") == "deleted user")
      #expect(try await !host.logsIn("dora@new.example", "second one"))
      let aside = try await host.guest.succeed("find /vault/vmail/.removed -name dora")
      #expect(aside.hasSuffix("/new.example/dora\n"), "its mail was moved aside: \(aside)")
      try await host.mailcfg("rmuser dora@new.example --yes", status: 1)
    }
  }

  @Test(arguments: Release.both)
  func dovecotReadsEachScheme(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      for (user, scheme) in [
        ("a@example.net", "ARGON2ID"), ("b@example.net", "BLF-CRYPT"), ("c@example.net", "SHA512-CRYPT"),
      ] {
        try await host.mailcfg("adduser \(user) --stdin --scheme \(scheme)", stdin: "pässword with spaces")
        let stored = try await host.guest.succeed(
          "sqlite3 \(AccountTools.database) \"SELECT password FROM users WHERE email='\(user)'\"")
        #expect(stored.hasPrefix("{\(scheme)}"))
        #expect(try await host.logsIn(user, "pässword with spaces"), "\(scheme)")
        #expect(try await !host.logsIn(user, "pässword with space"), "\(scheme)")
      }
    }
  }

  @Test(arguments: Release.both)
  func aliasesCatchAllsAndLimitsDecideWhereMailGoes(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      #expect(try await host.mailcfg("addalias team@example.org alice@example.org,bob@example.org") == "added alias")
      #expect(try await host.send("team", to: "team@example.org") == nil)
      #expect(try await host.arrives("team", for: "alice@example.org", "secret-alice"))
      #expect(try await host.arrives("team", for: "bob@example.org", "secret-bob"))

      // Beside a catch-all bob still gets his own mail.
      #expect(try await host.mailcfg("addalias @example.org alice@example.org") == "added alias")
      #expect(try await host.send("forbob", to: "bob@example.org") == nil)
      #expect(try await host.send("foranybody", to: "anybody@example.org") == nil)
      #expect(try await host.arrives("forbob", for: "bob@example.org", "secret-bob"))
      #expect(try await host.arrives("foranybody", for: "alice@example.org", "secret-alice"))
      #expect(try await !host.arrives("forbob", for: "alice@example.org", "secret-alice", within: 1))
      #expect(try await host.mailcfg("rmalias @example.org") == "deleted alias")
      #expect(try #require(await host.send("nobody", to: "anybody@example.org")).contains("550"))

      // With the queries of mailcfg(8), "LIMITS".
      try await host.mailcfg("adduser noreply@example.org --stdin --send-only", stdin: "robots write")
      try await host.mailcfg("set bob@example.org --receive-only")
      try await host.guest.succeed(
        """
        set -e
        cd /etc/postfix/sqlite
        sed -i "s/AND active=1/AND active=1 AND receives=1/" mailboxes.cf
        sed -i "s/AND active=1/AND active=1 AND sends=1/" sender-logins.cf
        postfix reload
        """)
      #expect(try #require(await host.send("tonoreply", to: "noreply@example.org")).contains("550"))
      #expect(
        try await host.send("byrobot", to: "alice@example.org", as: ("noreply@example.org", "robots write")) == nil)
      #expect(try await host.arrives("byrobot", for: "alice@example.org", "secret-alice"))
      #expect(
        try #require(await host.send("bybob", to: "alice@example.org", as: ("bob@example.org", "secret-bob"))).contains(
          "553"))
      #expect(try await host.send("tobob", to: "bob@example.org") == nil)
      #expect(try await host.arrives("tobob", for: "bob@example.org", "secret-bob"))
    }
  }

  @Test(arguments: Release.both)
  func nobodyOfARemovedDomainLogsInAnyMore(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      #expect(try await host.logsIn("bob@example.org", "secret-bob"))
      let shown = try await host.guest.run("mailcfg rmdom example.org --dry-run")
      #expect(shown.stdout.contains("- user bob@example.org"))
      #expect(try await host.logsIn("bob@example.org", "secret-bob"), "that was a dry run")
      try await host.mailcfg("backup /vault/before.sqlite3")
      #expect(try await host.mailcfg("rmdom example.org --yes") == "deleted domain")
      #expect(try await !host.logsIn("bob@example.org", "secret-bob"))
      // Not by a mail: from this machine postfix relays it.
      let lookup = try await host.guest.run("postmap -q example.org sqlite:/etc/postfix/sqlite/domains.cf")
      #expect(lookup.status == 1 && lookup.stdout.isEmpty && lookup.stderr.isEmpty, "\(lookup.stderr)")
      #expect(try await host.guest.succeed("ls /vault/vmail").contains("example.org"), "the mail is left alone")
      // Back again, from the backup.
      try await host.mailcfg("--db /vault/before.sqlite3 export >/root/export.json")
      try await host.mailcfg("import /root/export.json")
      #expect(try await host.logsIn("bob@example.org", "secret-bob"))
    }
  }

  /// The schema, and what it means, are the same for both.
  @Test(arguments: Release.both)
  func theOldScriptAndMailcfgWriteInTurn(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      func old(_ statement: String, _ values: String...) async throws {
        let words = ([statement] + values).map(GuestTools.quoted).joined(separator: " ")
        #expect(try await host.guest.succeed("old-script \(words)") == "1\n", "\(statement)")
      }
      try await old("INSERT INTO domains (name) VALUES (?)", "turn.example")
      try await host.mailcfg("adduser a@turn.example --stdin --quota 1G", stdin: "first")
      try await old(
        "INSERT INTO users (domain_id, password, email) VALUES ((SELECT id FROM domains WHERE name=?), ?, ?)",
        "turn.example",
        "$6$Yt8mLc2JsF6gHa9u$S.N/eNDKj0fwa4FyYXsBzmquCnLdlhsmBXci7zJReW2X0pMVZCA0mehlRY00YvF3.yw1DylrQKXbpeQkILGhB0",
        "b@turn.example")
      #expect(try await host.logsIn("b@turn.example", "secret-bob"))
      try await host.mailcfg("disable b@turn.example")
      try await old("UPDATE users SET active=1 WHERE email=?", "b@turn.example")
      #expect(try await host.logsIn("b@turn.example", "secret-bob"))
      try await host.mailcfg("addalias c@turn.example a@turn.example")
      try await old("DELETE FROM aliases WHERE src=?", "c@turn.example")
      #expect(try await host.mailcfg("lsalias turn.example") == "")
      try await old("DELETE FROM users WHERE email=?", "a@turn.example")
      #expect(try await host.mailcfg("lsuser turn.example") == "b@turn.example")
      // The old script leaves the users of a domain behind: they are found, and can be removed.
      try await old("DELETE FROM domains WHERE name=?", "turn.example")
      let findings = try await host.guest.run("mailcfg check")
      #expect(findings.status == 1)
      #expect(findings.stdout.contains("b@turn.example"), "\(findings.stdout)")
      #expect(try await host.mailcfg("rmuser b@turn.example --yes") == "deleted user")
      #expect(try await host.guest.run("mailboot verify").status == 0)
    }
  }
}
