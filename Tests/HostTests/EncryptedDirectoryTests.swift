import MachineKit
import SceneSupport
import Testing

/// An encrypted directory, or what it needs, that is not as it should be: each said before or after the passphrase, nothing left behind.
struct EncryptedDirectoryTests {
  /// Debian's gocryptfs alone refuses a tenth of all calls and more while it serves two users at once.
  @Test(arguments: Release.both)
  func severalUsersWriteSideBySide(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let opened = try await host.unlock("--no-start")
      #expect(opened.status == 0, "\(opened.stderr)")
      let written = try await host.guest.succeed(
        """
        python3 - <<'END'
        import os, time
        children = []
        for number in (5000, 5000, 103, 103):
            child = os.fork()
            if child == 0:
                place = f"/vault/beside{os.getpid()}"
                refused = tried = 0
                try:
                    os.mkdir(place)
                    os.chown(place, number, number)
                    os.setgroups([]); os.setgid(number); os.setuid(number)
                    end = time.monotonic() + 3
                    while time.monotonic() < end:
                        tried += 1
                        try:
                            open(f"{place}/a", "w").close()
                            os.rename(f"{place}/a", f"{place}/b")
                            os.unlink(f"{place}/b")
                        except OSError:
                            refused += 1
                except OSError:
                    refused += 1
                print("refused" if refused else "well" if tried > 20 else "slow", flush=True)
                os._exit(0)
            children.append(child)
        for child in children: os.waitpid(child, 0)
        END
        """)
      #expect(written == "well\nwell\nwell\nwell\n")
    }
  }

  @Test(arguments: Release.both)
  func whatGocryptfsNeedsIsMissing(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await host.guest.succeed("mv /usr/bin/gocryptfs /usr/bin/gocryptfs.off")
      let program = try await host.unlock(configuration: Settings.toml())
      program.expectFailure(11, error: "gocryptfs is not installed", hint: "`apt install gocryptfs`")
      try await host.guest.succeed("mv /usr/bin/gocryptfs.off /usr/bin/gocryptfs")

      try await host.guest.succeed("umount /dev/fuse; mv /dev/fuse /dev/fuse.off")
      let fuse = try await host.unlock()
      fuse.expectFailure(
        12, error: "/vault cannot be mounted through FUSE: /dev/fuse: No such file", hint: "modprobe fuse")
      try await host.guest.succeed("rm -f /dev/fuse.off; mknod -m 666 /dev/fuse c 10 229")

      let option = try await host.unlock(configuration: Settings.toml(vault: "options = [\"bogus\"]"))
      option.expectFailure(12, error: "/vault could not be mounted: ", hint: "does FUSE know the `options`")
      #expect(option.stderr.contains("bogus"))
    }
  }

  @Test(arguments: Release.both)
  func aDirectoryThatIsNoneOfGocryptfsOrDamagedIsNotOpened(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let cases: [(prepare: String, error: String, hint: String)] = [
        ("mv /vault_crypt /kept", "there is no directory /vault_crypt", "name the encrypted directory"),
        ("mkdir /vault_crypt", "/vault_crypt is not an encrypted directory of gocryptfs", "right directory?"),
        (
          "rmdir /vault_crypt; cp -a /kept /vault_crypt; rm /vault_crypt/gocryptfs.conf",
          "/vault_crypt/gocryptfs.conf cannot be used: No such file or directory", "put back a copy"
        ),
        (
          "head -c 100 /kept/gocryptfs.conf >/vault_crypt/gocryptfs.conf",
          "/vault_crypt/gocryptfs.conf cannot be used: it is not JSON", "put back a copy"
        ),
        (
          "sed s/DirIV/Unknown/ /kept/gocryptfs.conf >/vault_crypt/gocryptfs.conf",
          "/vault_crypt/gocryptfs.conf cannot be used: ", "put back a copy"
        ),
        (
          "ln -sf /kept/gocryptfs.conf /vault_crypt/gocryptfs.conf",
          "/vault_crypt/gocryptfs.conf cannot be used: it is a symbolic link", "put back a copy"
        ),
      ]
      try await host.configure(Settings.toml(vault: "type = \"gocryptfs\""))
      for (prepare, error, hint) in cases {
        try await host.guest.succeed(prepare)
        let attempt = try await host.unlock()
        attempt.expectFailure(11, error: error, hint: hint)
      }
    }
  }

  @Test func aDirectoryOfAnotherOwnerIsWarnedOfAndOpened() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed("chown nobody /vault_crypt")
      let attempt = try await host.unlock("--no-start", configuration: Settings.toml())
      attempt.expectSuccess("mounted and verified")
      #expect(
        attempt.stderr.contains(
          "warning: /vault_crypt does not belong to root: somebody else than root can make /vault_crypt unusable"))
    }
  }

  @Test func oneThatIsOpenElsewhereIsNotOpenedAgain() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        "mkdir /elsewhere; gocryptfs -q -passfile \(MailHost.passphraseFile) /vault_crypt /elsewhere")
      let attempt = try await host.unlock(configuration: Settings.toml())
      attempt.expectFailure(11, error: "/vault_crypt is in use: it is open on /elsewhere", hint: "findmnt")
    }
  }

  // MARK: Killed, and hanging

  @Test(arguments: Release.both)
  func killedWhileMountedItIsDegradedAndTheNextRunCompletes(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let first = try await host.unlock(configuration: Settings.toml())
      first.expectSuccess("ready")
      try await host.guest.succeed("pkill -KILL -x gocryptfs; while pgrep -x gocryptfs; do sleep 0.1; done")
      let status = try await host.guest.run("mailboot status")
      #expect(status.status == 3)
      #expect(status.stdout.contains("gocryptfs has ended without unmounting: nobody can read or write in /vault"))
      let verify = try await host.attempt("mailboot verify")
      verify.expectRefusal(13, error: "gocryptfs has ended without unmounting", hint: "clears away what is left")

      let next = try await host.unlock()
      next.expectSuccess("ready")
      #expect(try await host.guest.run("mailboot status").status == 0)
      #expect(try await host.guest.succeed("findmnt -n -o FSTYPE /vault") == "fuse.gocryptfs\n")
      #expect(try await host.guest.succeed("systemctl --failed --plain --no-legend") == "")
      try await host.guest.succeed("mailboot lock")
      try await host.expectLocked()
    }
  }

  @Test func theServiceSaysThatItIsDegradedAndWaitsForThePassphrase() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.beginWaiting(configuration: Settings.toml())
      let first = try await host.unlock()
      first.expectSuccess("ready")
      try await host.await("ready")
      try await host.guest.succeed("pkill -KILL -x gocryptfs")
      try await host.await("degraded")
      try await host.guest.succeed(
        """
        for try in $(seq 100); do
          mailboot status --format json | grep -q '"waiting": {' && exit 0
          sleep 0.2
        done
        mailboot status --format json; exit 1
        """)
      #expect(
        try await host.guest.succeed("journalctl -b -u mailboot -o cat --no-pager").contains(
          "degraded: gocryptfs has ended without unmounting"))
      let next = try await host.unlock()
      next.expectSuccess("ready")
      try await host.await("ready")
    }
  }

  @Test func whatDoesNotAnswerHangsNobodyAndAnEmergencyEndsIt() async throws {
    try await MailHosts.with(.debian12) { host in
      let first = try await host.unlock(configuration: Settings.toml())
      first.expectSuccess("ready")
      try await host.guest.succeed("pkill -STOP -x gocryptfs")
      let status = try await host.guest.run("timeout 20 mailboot status")
      #expect(status.status == 3 && status.stdout.contains("gocryptfs does not answer"), "\(status.stdout)")
      // Not by `attempt`, which looks into the vault and would hang itself.
      for command in ["mailboot verify", "mailboot --stdin <\(MailHost.passphraseFile)"] {
        let refused = try await host.guest.run("timeout 20 \(command)")
        #expect(refused.status == 13, "\(refused.stderr)")
        #expect(refused.stderr.contains("error: gocryptfs does not answer"), "\(refused.stderr)")
        #expect(refused.stderr.contains("lock --emergency"))
      }
      #expect(try await host.guest.succeed("timeout 60 mailboot lock --emergency").contains("locked in"))
      try await host.expectLocked()
    }
  }

  // MARK: At a shutdown

  /// systemd may not even have noticed the mount by then.
  @Test(arguments: Release.both)
  func theServicesEndBeforeGocryptfsDoes(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      let first = try await host.unlock(configuration: Settings.toml())
      first.expectSuccess("ready")
      let order = try await host.guest.succeed("systemctl show -p Before --value gocryptfs-vault.service")
      let before = Set(order.split(whereSeparator: \.isWhitespace).map(String.init))
      #expect(before.isSuperset(of: ["vault.mount", "umount.target", "redis-server.service"]))
    }
  }
}
