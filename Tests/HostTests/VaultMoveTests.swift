import MachineKit
import SceneSupport
import Testing

/// From one encrypted directory to another, while mail is at work.
struct VaultMoveTests {
  private static let tools = "/usr/local/lib/mailboot-machine"
  private static let key = "--key-file \(MailHost.passphraseFile)"

  /// Everything of a tree that a copy could lose.
  private static let listing = """
    listing() {
      (cd $1 && find . -xdev -printf '%P %y %m %U:%G %s %T@ %n %l\\n' | sort
       find . -xdev -type f -print0 | sort -z | xargs -0 md5sum
       (getfattr -R -d .; getfacl -R -n .) | sort) 2>/dev/null
    }

    """

  @Test func aMoveThatIsKilledAtEachStepLosesNoMail() async throws {
    try await MailHosts.with(.debian12) { host in
      let guest = host.guest
      let opened = try await host.unlock()
      #expect(opened.status == 0, "\(opened.stderr)")
      try await guest.succeed(
        """
        set -e
        \(Self.tools)/send-mail before; \(Self.tools)/read-mail before --wait 60
        mkdir /vault/odd; cd /vault/odd
        echo one >a; ln a b; ln -s a l; mkfifo p; truncate -s 20M sparse; echo end >>sparse
        chown 1234:4321 a; setfattr -n user.tone -v blue a; chmod 4750 a; touch -d '2001-02-03 04:05:06.789' a
        echo x >"$(printf 'name with\\nnewline')"
        mkdir /new_crypt
        gocryptfs -init -q -scryptn 10 -passfile \(MailHost.passphraseFile) /new_crypt
        """, timeout: .seconds(120))
      let missing = try await guest.run("mailboot vault move")
      #expect(missing.status == 64 && missing.stderr.contains("mailboot vault create"), "\(missing.stderr)")
      try await guest.succeed(
        "printf '[vault]\\ntype = \"gocryptfs\"\\ndevice = \"/new_crypt\"\\n' >/etc/mailboot/next-vault.toml")

      for (number, words) in ["copying while", "mail is stopped", "reading both"].enumerated() {
        try await guest.succeed(
          """
          mailboot vault move \(Self.key) >/run/out 2>&1 & pid=$!
          for try in {1..600}; do grep -q '\(words)' /run/out && break; sleep 0.05; done
          kill -9 $pid
          grep -q '\(words)' /run/out && test -e /etc/mailboot/next-vault.toml
          """)
        let again = try await guest.run("mailboot \(Self.key)", timeout: .seconds(240))
        #expect(again.status == 0, "\(again.stderr)")
        #expect(try await guest.succeed("findmnt -no SOURCE /vault") == "/vault_crypt\n")
        try await guest.succeed("\(Self.tools)/send-mail cut\(number); \(Self.tools)/read-mail cut\(number) --wait 60")
      }

      let before = try await guest.succeed(Self.listing + "listing /vault/odd")
      let moved = try await guest.run("mailboot vault move \(Self.key)", timeout: .seconds(300))
      #expect(moved.status == 0, "\(moved.stderr)")
      #expect(moved.stdout.hasPrefix("moved: "), "\(moved.stdout)")
      #expect(try await guest.succeed("findmnt -no SOURCE /vault") == "/new_crypt\n")
      let after = try await guest.succeed(Self.listing + "listing /vault/odd")
      #expect(after == before, "\(after)\n--- before:\n\(before)")
      #expect(
        try await guest.succeed("stat -c %h /vault/odd/a; test $(stat -c %b /vault/odd/sparse) -lt 1000") == "2\n")
      for subject in ["before", "cut0", "cut1", "cut2"] {
        try await guest.succeed("\(Self.tools)/read-mail \(subject) --wait 30")
      }
      try await guest.succeed("\(Self.tools)/send-mail after; \(Self.tools)/read-mail after --wait 60")

      let back = try await guest.run("mailboot vault move --back --yes \(Self.key)", timeout: .seconds(300))
      #expect(back.status == 0 && back.stderr.contains("newer than the move"), "\(back.stderr)")
      #expect(try await guest.succeed("findmnt -no SOURCE /vault") == "/vault_crypt\n")
      let forward = try await guest.run("mailboot vault move --back --yes \(Self.key)", timeout: .seconds(300))
      #expect(forward.status == 0, "\(forward.stderr)")
      try await guest.succeed("\(Self.tools)/read-mail after --wait 30")
      let forgotten = try await guest.run("mailboot vault move --forget --erase --yes")
      #expect(forgotten.status == 0, "\(forgotten.stderr)")
      try await guest.succeed("test ! -e /vault_crypt && test ! -e /etc/mailboot/previous-vault.toml")
    }
  }

  @Test func aNewVaultWithTooLittleRoomTakesNothingAndMailStays() async throws {
    try await MailHosts.with(.debian12) { host in
      let guest = host.guest
      let opened = try await host.unlock()
      #expect(opened.status == 0, "\(opened.stderr)")
      try await guest.succeed(
        """
        set -e
        head -c 100M /dev/urandom >/vault/large
        mkdir /small; mount -t tmpfs -o size=120m none /small; mkdir /small/crypt
        gocryptfs -init -q -scryptn 10 -passfile \(MailHost.passphraseFile) /small/crypt
        printf '[vault]\\ntype = "gocryptfs"\\ndevice = "/small/crypt"\\n' >/etc/mailboot/next-vault.toml
        """, timeout: .seconds(120))
      let refused = try await guest.run("mailboot vault move \(Self.key)", timeout: .seconds(120))
      #expect(refused.status == 64, "\(refused.stderr)")
      #expect(refused.stderr.contains("the new vault is too small: "), "\(refused.stderr)")
      #expect(refused.stderr.contains("mail stays in the vault in use"), "\(refused.stderr)")
      #expect(!refused.stderr.contains("copying while"))

      // Somebody else takes the room while it copies.
      let full = try await guest.run(
        """
        mount -o remount,size=400m /small
        mailboot vault move \(Self.key) 2>/run/out & pid=$!
        for try in {1..2000}; do grep -q 'copying while' /run/out && break; sleep 0.01; done
        fallocate -l 300M /small/other || fallocate -l 200M /small/other
        while head -c 64k /dev/zero >>/small/rest; do :; done 2>/dev/null
        wait $pid; status=$?; cat /run/out >&2; exit $status
        """, timeout: .seconds(240))
      #expect(full.status == 64, "\(full.stderr)")
      #expect(full.stderr.contains("the new vault is full: the copy is not complete"), "\(full.stderr)")
      #expect(
        try await guest.succeed("findmnt -no SOURCE /vault; findmnt /run/mailboot/move || echo none")
          == "/vault_crypt\nnone\n")
      try await guest.succeed("\(Self.tools)/send-mail still; \(Self.tools)/read-mail still --wait 60")

      try await guest.succeed("rm /small/other /small/rest")
      let moved = try await guest.run("mailboot vault move \(Self.key)", timeout: .seconds(300))
      #expect(moved.status == 0, "\(moved.stderr)")
      try await guest.succeed(
        "\(Self.tools)/read-mail still --wait 30 && findmnt -no SOURCE /vault | grep -qx /small/crypt")
    }
  }
}
