import MachineKit
import SceneSupport
import Testing

/// Key derivations that do not come to their end.
struct KeyDerivationTests {
  @Test func aSignalDuringTheKeyDerivationEndsItAtOnce() async throws {
    try await MailHosts.with(.debian12) { host in
      // Hours of it.
      try await host.guest.succeed("edit-luks /dev/vdb \"m['keyslots']['0']['kdf']['iterations'] = 2000000000\"")
      let run = try await host.start("mailboot --stdin", stdin: GuestCredentials.vaultPassphrase)
      // Once it runs: the first look at the traces is not to see our own.
      try await host.guest.succeed("for try in {1..400}; do pgrep -x mailboot && exit 0; sleep 0.1; done; exit 1")
      try await host.guest.succeed(
        "for try in {1..400}; do mailboot status >/run/seen; [ $? != 4 ] || exit 0; sleep 0.1; done; exit 1")
      #expect(try await host.guest.succeed("cat /run/seen").contains("mail: opening since "))
      try await host.guest.succeed("pkill -INT -x mailboot")
      let ended = try await run.end(timeout: .seconds(60))
      ended.expectFailure(130, error: "interrupted", hint: nil)
    }
  }

  @Test func tooLittleMemoryForTheKeyDerivationIsSaidBeforeAnyIsTaken() async throws {
    try await MailHosts.with(.debian12) { host in
      // Made on a machine with more memory than this one.
      let argon =
        "m['keyslots']['0']['kdf'] = dict(type='argon2id', time=4, memory=4194304, cpus=4, salt='A' * 43 + '=')"
      try await host.guest.succeed("edit-luks /dev/vdb \(GuestTools.quoted(argon)) && cryptsetup luksDump /dev/vdb")
      let large = try await host.unlock()
      large.expectFailure(
        11, error: "not enough memory for the key derivation: it needs 4096 MiB, and ", hint: "ps aux --sort -rss")

      try await host.guest.succeed("edit-luks /dev/vdb \"m['keyslots']['0']['kdf']['memory'] = 65536\"")
      let limited = try await host.attempt(
        "systemd-run --quiet --scope -p MemoryMax=48M -p MemorySwapMax=0 mailboot --stdin",
        stdin: GuestTools.wrongPassphrase)
      limited.expectFailure(
        11, error: "not enough memory for the key derivation: it needs 64 MiB, and ", hint: "ps aux --sort -rss")
    }
  }
}
