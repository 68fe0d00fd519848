import MachineKit
import SceneSupport
import Testing

/// The service in wait mode: who may open the vault, from where, and what everybody gets to know.
struct WaitTests {
  private static let passphrase = GuestCredentials.vaultPassphrase

  private static func journal(_ host: MailHost) async throws -> String {
    try await host.guest.succeed("journalctl -b -t mailboot -o cat --no-pager")
  }

  @Test(arguments: Release.both)
  func whileLockedEverybodyKnows(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        """
        set -e
        mkdir -p /var/lib/prometheus/node-exporter
        cat >/etc/mailboot/notify.d/10-note <<'END'
        #!/bin/sh
        { echo "$MAILBOOT_EVENT $MAILBOOT_STATE"; grep '"state"'; } >>/run/notified
        END
        printf '#!/bin/sh\\nexit 3\\n' >/etc/mailboot/notify.d/20-fails
        printf '#!/bin/sh\\nsleep 1000 & setsid sleep 1000 & wait\\n' >/etc/mailboot/notify.d/30-hangs
        printf '#!/bin/sh\\ntouch /run/must-not-be\\n' >/etc/mailboot/notify.d/40-writable
        chmod 755 /etc/mailboot/notify.d/*
        chmod 777 /etc/mailboot/notify.d/40-writable
        """)
      try await host.beginWaiting(
        configuration: """
          [notify]
          timeout = "5s"
          [monitoring]
          prometheus-file = "/var/lib/prometheus/node-exporter/mailboot.prom"
          """)
      let status = try await host.guest.run("su -s /bin/sh alice -c 'mailboot status --format json'")
      #expect(status.status == 2)
      #expect(status.stdout.contains("\"attempts_failed\": 0"), "\(status.stdout)")
      try await host.guest.succeed(
        "for try in {1..60}; do grep -q '\"state\": \"locked\"' /run/notified && exit 0; sleep 0.5; done; exit 1")
      #expect(try await host.guest.succeed("cat /run/notified").hasPrefix("change locked\n"))
      #expect(
        try await host.guest.succeed("cat /var/lib/prometheus/node-exporter/mailboot.prom").contains(
          "mailboot_state{state=\"locked\"} 1"))
      #expect(
        try await host.guest.succeed("busctl get-property org.mailboot1 /org/mailboot1 org.mailboot1.Manager State")
          == "s \"locked\"\n")
      // The scripts that fail and hang hold nothing up, and are told of; nothing of them is left.
      try await host.guest.succeed("sleep 14; ! pgrep -f 'sleep 1000'; test ! -e /run/must-not-be")
      let journal = try await Self.journal(host)
      #expect(journal.contains("notification /etc/mailboot/notify.d/20-fails failed"), "\(journal)")
      #expect(journal.contains("notification /etc/mailboot/notify.d/30-hangs did not end within 5 s"), "\(journal)")
      #expect(journal.contains("/etc/mailboot/notify.d/40-writable is not run"), "\(journal)")
    }
  }

  @Test(arguments: Release.both)
  func whileNothingHappensItSleeps(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting()
      // Past the sources that are tried first, and as far as a keep-alive goes not in its time: it comes every two minutes.
      let printed = try await host.guest.succeed(
        """
        sleep 20
        status=/proc/$(systemctl show -P MainPID mailboot)/status
        switches() { awk '/ctxt_switches/ { sum += $2 } END { print sum }' $status; }
        before=$(switches); sleep 60; after=$(switches)
        echo $((after - before)) $(awk '/RssAnon/ { print $2 }' $status)
        """, timeout: .seconds(300))
      let figures = printed.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
      #expect(figures.count == 2 && figures[0] <= 1, "context switches in 60 s: \(printed)")
      #expect(figures.count == 2 && figures[1] <= 2048, "RssAnon in KiB: \(printed)")
    }
  }

  @Test(arguments: Release.both)
  func aPasswordAgentMayAnswer(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting(configuration: "[wait]\nask = true\n")
      let answer = { (text: String) in
        """
        for try in {1..120}; do
          socket=$(sed -n 's/^Socket=//p' /run/systemd/ask-password/ask.* 2>/dev/null | head -1)
          [ -z "$socket" ] || break
          sleep 0.5
        done
        printf '\(text)' | /usr/lib/systemd/systemd-reply-password 1 $socket
        """
      }
      try await host.guest.succeed(answer("wrong"))
      try await host.guest.succeed(
        "for try in {1..120}; do journalctl -b -t mailboot -o cat | grep -q 'passphrase refused' && exit 0; sleep 0.5; done; exit 1"
      )
      try await host.guest.succeed(answer(Self.passphrase))
      try await host.await("ready")
      let status = try await host.guest.succeed("mailboot status --format json")
      #expect(status.contains("\"via\": \"agent\""), "\(status)")
      try await host.guest.succeed("! ls /run/systemd/ask-password/ask.*")
      #expect(!(try await host.guest.succeed("journalctl -b --no-pager")).contains(Self.passphrase))
    }
  }

  @Test(arguments: Release.both)
  func aMemberOfTheGroupMayUnlockAndOthersMayNot(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting()
      try await host.guest.succeed("chmod 644 \(MailHost.passphraseFile)")
      let unlock = "su -s /bin/sh alice -c 'mailboot unlock --stdin <\(MailHost.passphraseFile)' 2>&1"
      let refused = try await host.guest.run(unlock)
      #expect(refused.status == 77 && refused.stdout.contains("members of the group mailboot"), "\(refused.stdout)")
      try await host.guest.succeed("usermod -aG mailboot alice")
      let done = try await host.guest.run(unlock, timeout: .seconds(240))
      #expect(done.status == 0 && done.stdout.contains("ready in "), "\(done.stdout)")
      let status = try await host.guest.succeed("mailboot status --format json")
      #expect(status.contains("\"by\": \"alice\""), "\(status)")
    }
  }

  @Test(arguments: Release.both)
  func aCredentialOpensIt(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed(
        "mkdir -p /etc/credstore && install -m 600 \(MailHost.passphraseFile) /etc/credstore/mailboot.passphrase")
      try await host.beginWaiting(configuration: "[vault]\ntype = \"gocryptfs\"\n")
      try await host.await("ready")
      #expect(try await host.guest.succeed("mailboot status --format json").contains("\"via\": \"credential\""))
      // Locked on purpose it stays locked.
      try await host.guest.succeed("mailboot lock", timeout: .seconds(240))
      try await host.guest.succeed("sleep 10; mailboot status || test $? = 2")
    }
  }

  @Test func badClientsGetAnErrorAndTheServiceGoesOn() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.beginWaiting()
      let service = "org.mailboot1 /org/mailboot1 org.mailboot1.Manager"
      let process = try await host.guest.succeed("systemctl show -P MainPID mailboot")
      for (call, words) in [
        ("busctl call \(service) Unlock", "Unlock takes"),
        ("busctl call \(service) Lock a{sv} 1 force b true", "there is no option force"),
        ("busctl call \(service) Nonsense", "there is no method"),
        ("busctl set-property \(service) State s ready", "read only"),
        ("mailboot unlock --passphrase-fd 3 3</", "directory"),
        ("head -c 1000000 /dev/zero | mailboot unlock --stdin", "longer than 8192 bytes"),
        ("mailboot unlock --stdin </dev/null", "empty"),
        ("su -s /bin/sh alice -c 'busctl call \(service) Lock a{sv} 0'", "Access denied"),
      ] {
        let answer = try await host.guest.run("(\(call)) 2>&1")
        #expect(
          answer.status != 0 && answer.stdout.lowercased().contains(words.lowercased()), "\(call): \(answer.stdout)")
      }
      // One that hands over a pipe and never writes is given up after 10 s; meanwhile another one opens the vault.
      let silent = try await host.guest.start("sleep 60 | mailboot run unlock 2>&1")
      #expect(try await host.unlock().status == 0)
      let given = try await silent.wait()
      #expect(given.stdout.contains("the passphrase did not arrive in time"), "\(given.stdout)")
      #expect(try await host.guest.succeed("systemctl show -P MainPID mailboot") == process)
    }
  }

  @Test(arguments: Release.both)
  func aServiceThatDiesIsSeenWithinSecondsAndComesBack(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting()
      #expect(try await host.unlock().status == 0)
      try await host.guest.succeed("sleep 1; pkill -KILL -x dovecot")
      try await host.guest.succeed(
        """
        for try in {1..10}; do
          journalctl -b -t mailboot -o cat --no-pager | grep -q '^degraded: dovecot.service is failed' && exit 0
          sleep 0.5
        done
        journalctl -b -t mailboot --no-pager | tail; exit 1
        """)
      try await host.await("ready")
      // It is told when it has lasted.
      try await host.guest.succeed(
        "for try in {1..20}; do journalctl -b -t mailboot -o cat --no-pager | grep -q 'dovecot answers again' && exit 0;"
          + " sleep 0.5; done; exit 1")
    }
  }

  @Test(arguments: Release.both)
  func killedItLeavesNoMetricsAndComesBackWhateverIsGone(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let metrics = "/var/lib/prometheus/node-exporter/mailboot.prom"
      try await host.guest.succeed(
        """
        set -e
        mkdir -p /var/lib/prometheus/node-exporter /run/systemd/system/mailboot.service.d
        printf '[Service]\\nRestartSec=15s\\n' >/run/systemd/system/mailboot.service.d/slow.conf
        systemctl daemon-reload
        """)
      try await host.beginWaiting(configuration: "[monitoring]\nprometheus-file = \"\(metrics)\"\n")
      try await host.guest.succeed(
        """
        set -e
        [ -e \(metrics) ] || { echo 'none are written'; exit 1; }
        systemctl kill --kill-whom=main --signal=KILL mailboot
        for try in {1..120}; do [ -e \(metrics) ] || break; sleep 0.1; done
        [ ! -e \(metrics) ] || { echo 'they stay'; systemctl status mailboot; exit 1; }
        rm -r /run/mailboot
        for try in {1..200}; do [ ! -e \(metrics) ] || exit 0; sleep 0.2; done
        echo 'they do not come back'; systemctl status mailboot; exit 1
        """)
    }
  }

  /// What dpkg and the package's postinst do.
  @Test(arguments: Release.both)
  func anUpgradeWhileAnUnlockGoesOnEndsNeitherItNorItsCaller(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.slowDownFilter()
      try await host.beginWaiting()
      let pending = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      try await host.await("starting")
      try await host.guest.succeed(
        """
        set -e
        cp -a /usr/sbin/mailboot /usr/sbin/mailboot.dpkg-new
        mv /usr/sbin/mailboot.dpkg-new /usr/sbin/mailboot
        systemctl daemon-reload
        systemctl restart mailboot
        touch /run/go
        """)
      let attempt = try await pending.end()
      attempt.expectSuccess("ready in ")
      #expect(attempt.stderr.contains("what it has begun goes on"), "\(attempt.stderr)")
      try await host.await("ready")
    }
  }

  @Test(arguments: Release.both)
  func theMachineGoesDownWithoutWaiting(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.beginWaiting()
      #expect(try await host.unlock().status == 0)
      try await host.guest.shutDown(timeout: .seconds(80))
    }
  }
}
