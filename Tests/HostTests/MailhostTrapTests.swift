import Foundation
import MachineKit
import SceneSupport
import Testing

/// Each trap of the two releases: `mailhost test` passes, fails without the setting that closes it, and passes with it again.
struct MailhostTrapTests {
  /// What undoes one fix, and the proof that must see it.
  private struct Trap {
    var proof: String
    /// Lines of `[postfix.main]`.
    var main = ""
    /// A command, for what is not in postfix's own file; `undo` takes it back.
    var spoil = ""
    var undo = ""
    /// Who reads its files again.
    var units = "postfix"
  }

  private func traps(_ release: Release) -> [Trap] {
    let sieve = "/vault/sieve/global/learn_ham.sieve"
    return [
      Trap(proof: "smuggling", main: "smtpd_forbid_bare_newline = \"no\"\nsmtpd_forbid_unauth_pipelining = \"no\""),
      Trap(proof: "open-relay", main: "mynetworks = \"127.0.0.0/8\""),
      Trap(proof: "auth-on-25", main: "smtpd_sasl_auth_enable = \"yes\""),
      Trap(proof: "forged-sender", main: "submission_sender_restrictions = \"\""),
      Trap(proof: "relay-account", main: "submission_recipient_restrictions = \"permit_sasl_authenticated, reject\""),
      Trap(proof: "filter-stopped", main: "milter_default_action = \"accept\""),
      Trap(proof: "gtube", main: "smtpd_milters = \"\""),
      Trap(proof: "greeting", main: "smtpd_banner = \"somewhere.else ESMTP\""),
      Trap(
        proof: "system-mail",
        main: "alias_maps = \"hash:/etc/aliases\"\nlocal_recipient_maps = \"\"\nmydestination = \"localhost\""),
      // In the wrong dialect dovecot takes the variables literally, and doveconf says that all is well.
      Trap(
        proof: "two-mailboxes",
        spoil: release == .debian12
          ? "sed -i 's|^mail_location = .*|mail_location = maildir:/vault/vmail/%{user}X/shared|; s|home=/vault/vmail/%d/%n|home=/vault/vmail/shared|' /etc/dovecot/dovecot.conf"
          : "sed -i -e 's|^mail_path = .*|mail_path = /vault/vmail/%d/%n|' /etc/dovecot/dovecot.conf; doveconf -n >/dev/null",
        undo:
          "mailhost apply --no-test --overwrite /etc/dovecot/dovecot.conf; rm -rf '/vault/vmail/%d' /vault/vmail/shared",
        units: "dovecot"),
      Trap(
        proof: "trash-is-no-ham",
        spoil: """
          cp -a \(sieve) /root/ham
          sed -i '/^if environment :is .*Trash/,/^}/d' \(sieve)
          runuser -u vmail -- sievec \(sieve)
          """,
        undo: "cp -a /root/ham \(sieve); runuser -u vmail -- sievec \(sieve)", units: ""),
      Trap(
        proof: "signed",
        spoil: "sed -i 's/^selector = .*/selector = \"nobody\";/' /etc/rspamd/local.d/dkim_signing.conf",
        undo: "mailhost apply --no-test --overwrite /etc/rspamd/local.d/dkim_signing.conf", units: "rspamd"),
      Trap(
        proof: "certificate-served",
        spoil: """
          cp -a /etc/letsencrypt/live/mail.example.org /root/live
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 -subj /CN=mail.example.org \
            -keyout /etc/letsencrypt/live/mail.example.org/privkey.pem -out /etc/letsencrypt/live/mail.example.org/fullchain.pem 2>/dev/null
          """,
        undo: "cp -a /root/live/. /etc/letsencrypt/live/mail.example.org/", units: ""),
      Trap(
        proof: "database-access", spoil: "chmod 0644 /vault/maildb/maildb.sqlite3",
        undo: "chmod 0640 /vault/maildb/maildb.sqlite3", units: ""),
      Trap(
        proof: "key-access", spoil: "chmod 0755 /vault/dkim; chmod 0644 /vault/dkim/*.key",
        undo: "chmod 0750 /vault/dkim; chmod 0640 /vault/dkim/*.key", units: ""),
    ]
  }

  @Test(arguments: Release.both)
  func eachTrapIsSeenByItsProof(_ release: Release) async throws {
    try await MailhostScene.made(release) { scene in
      try await scene.expectProven()
      for trap in traps(release) {
        if trap.main.isEmpty {
          // The last of the traps that are lines in the settings is closed again first.
          try await scene.succeed(
            "if rm /etc/mailboot/mailhost.toml.d/50-own.toml 2>/dev/null; then mailhost apply --no-test; fi")
          try await scene.succeed("set -e; \(trap.spoil)")
          if !trap.units.isEmpty { try await scene.succeed("systemctl restart \(trap.units); sleep 1") }
        } else {
          try await scene.own("[postfix.main]\n" + trap.main)
          try await scene.succeed("mailhost apply --no-test")
        }
        let failed = try await scene.failedProofs()
        #expect(failed.contains(trap.proof), "\(trap.proof): \(failed)")
        // One that is a line in the settings goes with the next one.
        if trap.main.isEmpty {
          try await scene.succeed(trap.undo)
          if !trap.units.isEmpty { try await scene.succeed("systemctl restart \(trap.units); sleep 1") }
        }
      }
      try await scene.expectProven()
      #expect(try await scene.run("mailhost plan").status == 0)
    }
  }
}
