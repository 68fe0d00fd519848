import MachineKit
import SceneSupport
import Testing

/// Unlocking over SSH, with a real server on the host's loopback.
struct RemoteUnlockTests {
  /// The caller's command, with a key of its own and the server's key known.
  private static let ssh =
    "ssh -F none -i /run/key -o IdentitiesOnly=yes -o UserKnownHostsFile=/run/known -o GlobalKnownHostsFile=none -o BatchMode=yes"

  /// Starts the server and makes a key.
  private static func serve(_ host: MailHost) async throws {
    try await host.configure(Settings.toml())
    try await host.guest.succeed(
      """
      set -e
      systemctl start ssh
      ssh-keygen -q -t ed25519 -N '' -f /run/key
      echo "127.0.0.1 $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >/run/known
      """)
  }

  /// Lets the key log in as a user.
  /// - Parameter restriction: options of `authorized_keys`, see sshd(8).
  private static func authorize(_ user: String, _ restriction: String = "", _ host: MailHost) async throws {
    try await host.guest.succeed(
      """
      set -e
      home=$(getent passwd \(user) | cut -d : -f 6)
      install -d -m 0700 -o \(user) "$home/.ssh"
      printf '%s%s\\n' \(GuestTools.quoted(restriction.isEmpty ? "" : restriction + " ")) "$(cat /run/key.pub)" \
        >"$home/.ssh/authorized_keys"
      chown \(user) "$home/.ssh/authorized_keys"
      """)
  }

  private static func call(
    _ user: String, _ command: String, _ host: MailHost, input: String = MailHost.passphraseFile
  ) async throws -> Attempt {
    try await host.attempt("\(ssh) -T \(user)@127.0.0.1 \(command) <\(input)")
  }

  @Test(arguments: Release.both)
  func oneCallUnlocksAndNothingOfThePassphraseIsLeft(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.serve(host)
      try await Self.authorize("root", "", host)
      let wrong = try await host.attempt(
        "printf '\(GuestTools.wrongPassphrase)' | \(Self.ssh) root@127.0.0.1 mailboot unlock --stdin")
      wrong.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")

      let unlock = try await Self.call("root", "mailboot unlock --stdin", host)
      unlock.expectSuccess("ready in")
      unlock.expectOpened()
      #expect(unlock.changes.allSatisfy { !$0.contains("secret") }, "\(unlock.changes)")
      let status = try await Self.call("root", "mailboot status", host)
      #expect(status.status == 0, "\(status.stdout)")
    }
  }

  @Test(arguments: Release.both)
  func aKeyWithAForcedCommandCanUnlockAndNothingElse(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.serve(host)
      try await Self.authorize("root", "restrict,command=\"/usr/sbin/mailboot unlock --stdin\"", host)
      try await host.guest.succeed("printf '\(GuestTools.wrongPassphrase)' >/run/wrong")
      let transfer = try await Self.call("root", "-s sftp", host, input: "/run/wrong")
      #expect(transfer.status == 10 && transfer.stdout == "", "\(transfer.stdout)")
      for command in ["id", "'touch /run/taken; id'", "''"] {
        let attempt = try await Self.call("root", command, host, input: "/run/wrong")
        attempt.expectFailure(10, error: "the passphrase was not accepted", hint: "Caps Lock")
      }
      #expect(try await host.guest.run("test -e /run/taken").status == 1)
      let forward = try await host.guest.run(
        "\(Self.ssh) -o ExitOnForwardFailure=yes -R 4444:127.0.0.1:25 root@127.0.0.1 </run/wrong")
      #expect(forward.stderr.contains("remote port forwarding failed"), "\(forward.stderr)")
      let tunnel = try await host.guest.run("\(Self.ssh) -W 127.0.0.1:22 root@127.0.0.1 </dev/null")
      #expect(tunnel.stdout == "" && tunnel.stderr.contains("administratively prohibited"), "\(tunnel.stderr)")

      let unlock = try await Self.call("root", "id", host)
      unlock.expectSuccess("ready in")
      unlock.expectOpened()
    }
  }

  /// A second name of root's with `mailboot` as its shell.
  private static func addKeeper(_ host: MailHost) async throws {
    try await host.guest.succeed(
      "useradd --non-unique --uid 0 --gid 0 --create-home --home-dir /var/lib/keeper --shell /usr/sbin/mailboot keeper")
    try await authorize("keeper", "", host)
  }

  @Test(arguments: Release.both)
  func aLoginWhoseShellIsMailbootKnowsTwoVerbs(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.serve(host)
      try await Self.addKeeper(host)
      for command in ["id", "'unlock --stdin; id'", "mailboot verify", "'unlock --key-file /run/passphrase'"] {
        let attempt = try await Self.call("keeper", command, host)
        attempt.expectFailure(64, error: "this login cannot run", hint: "it knows `mailboot unlock --stdin`")
      }
      // ssh does not show what a subsystem complains of.
      let transfer = try await Self.call("keeper", "-s sftp", host)
      #expect(transfer.status == 64 && transfer.stdout == "", "\(transfer.stdout)")
      let nobodyToAsk = try await Self.call("keeper", "", host)
      nobodyToAsk.expectFailure(64, error: "there is no terminal to ask", hint: "--stdin")

      let locked = try await Self.call("keeper", "mailboot status", host)
      #expect(locked.status == 2 && locked.stdout.contains("locked since"), "\(locked.stdout)\(locked.stderr)")
      let unlock = try await Self.call("keeper", "mailboot unlock --stdin", host)
      unlock.expectSuccess("ready in")
      unlock.expectOpened()
    }
  }

  @Test(arguments: Release.both)
  func atATerminalThatLoginIsAskedForThePassphrase(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.serve(host)
      try await Self.addKeeper(host)
      let run = try await TerminalRun(host, "\(Self.ssh) -t keeper@127.0.0.1")
      try await run.expect("Passphrase of the vault: ")
      try run.type(GuestCredentials.vaultPassphrase + "\n")
      let (said, changes) = try await run.end(0)
      #expect(said.contains("ready in"), "\(said)")
      #expect(!said.contains(GuestCredentials.vaultPassphrase))
      #expect(changes.contains("> mount /vault /"), "\(changes)")
    }
  }

  /// Who is no root asks the service that waits.
  @Test(arguments: Release.both)
  func aMemberOfTheGroupUnlocksWithoutBeingRoot(_ release: Release) async throws {
    try await MailHosts.with(release) { host in
      try await Self.serve(host)
      try await host.guest.succeed("usermod --append --groups mailboot carol && systemctl start mailboot")
      let restriction = "restrict,command=\"/usr/sbin/mailboot unlock --stdin\""
      for user in ["alice", "carol"] { try await Self.authorize(user, restriction, host) }

      let stranger = try await Self.call("alice", "", host)
      #expect(stranger.status == 77, "\(stranger.stdout)\(stranger.stderr)")
      stranger.expectNothingLeftBehind()
      let member = try await Self.call("carol", "", host)
      member.expectSuccess("ready in")
      member.expectOpened()
    }
  }
}
