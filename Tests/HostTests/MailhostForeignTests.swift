import Foundation
import MachineKit
import SceneSupport
import Testing

/// Programs of others talk to the mail host: another mail server, an IMAP client, an uploader of filters.
/// One after the other: each has two hosts.
@Suite(.serialized)
struct MailhostForeignTests {
  /// The mail host, and a bare one beside it on a network of their own: 192.0.2.1 and 192.0.2.2.
  private func beside(
    _ release: Release, _ packages: String, _ test: (MailhostScene, NativeHost) async throws -> Void
  ) async throws {
    try await MailhostScene.made(release) { scene in
      let other = try await NativeHost.bare(release, isSecond: true)
      defer { other.close() }
      try await scene.host.connect("192.0.2.1/24", to: other, "192.0.2.2/24")
      try await other.succeed(
        """
        set -e
        sed -i 's/mail.example.org mail/other.example.com other/' /etc/hosts
        echo '192.0.2.1 mail.example.org' >>/etc/hosts
        hostname other
        printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \(packages) >/root/install.log 2>&1 ||
          { cat /root/install.log; exit 1; }
        """, timeout: .seconds(300))
      let authority = try await scene.host.get("/usr/local/share/mailboot-machine/ca.pem")
      try await other.put("/root/ca.pem", authority, mode: 0o644)
      try await test(scene, other)
    }
  }

  @Test(arguments: Release.both)
  func anotherMailServerSendsAndReceives(_ release: Release) async throws {
    try await beside(release, "exim4-daemon-light") { scene, other in
      // Nobody resolves names here: each knows where the other is.
      try await scene.own(
        "[postfix.main]\ntransport_maps = \"inline:{ other.example.com=smtp:[192.0.2.2]:25 }\"\n"
          + "smtp_host_lookup = \"native\"")
      try await scene.succeed("mailhost apply --no-test")
      try await other.put(
        "/etc/exim4/exim4.conf",
        Data(
          """
          primary_hostname = other.example.com
          domainlist local = other.example.com
          tls_advertise_hosts = *
          acl_smtp_rcpt = accept
          begin routers
          here:
            driver = accept
            domains = +local
            transport = file
          there:
            driver = manualroute
            route_list = * 192.0.2.1
            self = send
            transport = smtp
          begin transports
          file:
            driver = appendfile
            file = /var/spool/exim4/received
            user = Debian-exim
            mode = 0600
          smtp:
            driver = smtp

          """.utf8), mode: 0o644)
      try await other.succeed(
        "chown root:root /etc/exim4/exim4.conf; systemd-run --quiet --unit exim /usr/sbin/exim4 -bdf -q30s; sleep 1")
      try await other.succeed(
        "printf 'From: carol@other.example.com\\nTo: alice@example.org\\nSubject: from-exim\\n\\nhello\\n' "
          + "| exim4 -f carol@other.example.com alice@example.org")
      let came = try await scene.succeed("/usr/local/lib/mailboot-machine/read-mail from-exim --wait 60")
      #expect(came.contains("by mail.example.org (Postfix) with ESMTPS"), "\(came)")
      // A stranger gets nothing further.
      let relayed = try await other.run(
        "printf 'Subject: relay\\n\\n' | exim4 -f carol@other.example.com victim@elsewhere.example; sleep 2; exim4 -bp; cat /var/log/exim4/mainlog"
      )
      #expect(relayed.stdout.contains("Relay access denied"), "\(relayed.stdout)")

      try await scene.succeed(
        "/usr/local/lib/mailboot-machine/send-mail to-exim --to dave@other.example.com --as alice@example.org secret-alice"
      )
      let received = try await other.succeed(
        "for i in {1..100}; do grep -qs to-exim /var/spool/exim4/received && break; sleep 0.3; done; cat /var/spool/exim4/received"
      )
      #expect(received.contains("Subject: to-exim"))
      #expect(received.contains("DKIM-Signature: "))
      #expect(received.contains("d=example.org"))
    }
  }

  @Test(arguments: Release.both)
  func anIMAPClientAndAnUploaderOfFiltersWork(_ release: Release) async throws {
    try await beside(release, "isync sieve-connect swaks") { scene, other in
      // A filter of the user's own, sent by sieve-connect.
      try await other.put(
        "/root/mine.sieve",
        Data(
          "require [\"fileinto\", \"mailbox\"];\nif header :contains \"Subject\" \"club\" { fileinto :create \"Club\"; }\n"
            .utf8),
        mode: 0o644)
      let uploaded = try await other.run(
        """
        cd /root
        export HOME=/root
        printf 'secret-alice\\n' | sieve-connect --server mail.example.org --port 4190 --user alice@example.org --passwordfd 0 \
          --tlscafile /root/ca.pem --localsieve mine.sieve --remotesieve mine --upload 2>&1
        printf 'secret-alice\\n' | sieve-connect --server mail.example.org --port 4190 --user alice@example.org --passwordfd 0 \
          --tlscafile /root/ca.pem --remotesieve mine --activate 2>&1
        """)
      // swaks, from outside and as a user.
      let sent = try await other.run(
        """
        swaks --server mail.example.org --port 25 --from carol@other.example.com --to alice@example.org --header 'Subject: club one' --tls
        swaks --server mail.example.org --port 587 --tls --auth PLAIN --auth-user bob@example.org --auth-password secret-bob \
          --from bob@example.org --to alice@example.org --header 'Subject: plain two'
        """)
      #expect(sent.status == 0, "\(sent.stdout)")
      try await other.put(
        "/root/.mbsyncrc",
        Data(
          """
          IMAPAccount a
          Host mail.example.org
          User alice@example.org
          Pass secret-alice
          \(release == .debian12 ? "SSLType" : "TLSType") IMAPS
          CertificateFile /root/ca.pem

          IMAPStore far
          Account a

          MaildirStore near
          Path /root/mail/
          Inbox /root/mail/INBOX
          SubFolders Verbatim

          Channel all
          Far :far:
          Near :near:
          Patterns *
          Create Near
          SyncState *

          """.utf8), mode: 0o600)
      let synced = try await other.run(
        "mkdir -p /root/mail; for i in {1..20}; do HOME=/root mbsync -a 2>&1; grep -rqs 'plain two' mail/INBOX && break; sleep 1; done; grep -rl Subject: /root/mail"
      )
      #expect(
        try await other.run("grep -rqs 'club one' /root/mail/Club").status == 0,
        "\(uploaded.stdout)\(synced.stdout)\(synced.stderr)")
      #expect(
        try await other.run("grep -rqs 'plain two' /root/mail/INBOX").status == 0, "\(synced.stdout)\(synced.stderr)")
    }
  }
}
