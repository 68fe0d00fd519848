import MachineKit
import SceneSupport
import Testing

/// The way of a newcomer, as the README has it: from a bare Debian to mail, and back after the loss of what holds the vault's key.
struct VaultFromNothingTests {
  // Nothing in it depends on the release: one of them.
  @Test(arguments: [Release.debian13])
  func aBareMachineBecomesAMailHostAndSurvivesTheLossOfItsHeader(_ release: Release) async throws {
    try await MailhostScene.bare(release, withVault: false) { scene in
      let made = try await scene.run(
        "echo 'otter lamp grammar ocelot' | mailboot vault create --type gocryptfs --stdin")
      #expect(made.status == 0, "\(made.stderr)")
      #expect(made.stdout == "made; open it: `mailboot`\n")
      #expect(made.stderr.contains("what holds its keys is saved in /var/lib/mailboot/headers/"), "\(made.stderr)")
      for line in made.stderr.split(separator: "\n") { #expect(line.count <= 120, "\(line)") }
      #expect(try await scene.succeed("gocryptfs -info /vault_crypt").contains("AES-GCM-256"))

      try await scene.succeed("mailhost apply", timeout: .seconds(900))
      try await scene.succeed("printf 'otter lamp grammar ocelot' | mailboot --stdin", timeout: .seconds(240))
      try await scene.succeed("/usr/local/lib/mailboot-machine/send-mail first")
      try await scene.succeed("/usr/local/lib/mailboot-machine/read-mail first --wait 60 >/dev/null")
      let status = try await scene.run("mailboot status")
      #expect(status.status == 0, "\(status.stdout)")
      #expect(!status.stdout.contains("header"), "a backup is known, and not older than the key: \(status.stdout)")

      // What a dying disk leaves of it.
      try await scene.succeed(
        "mailboot lock && chmod u+w /vault_crypt/gocryptfs.conf && truncate -s 0 /vault_crypt/gocryptfs.conf")
      let lost = try await scene.run("printf 'otter lamp grammar ocelot' | mailboot --stdin")
      #expect(lost.status == 11)
      #expect(lost.stderr.contains("hint:") && lost.stderr.contains("restore-header"), "\(lost.stderr)")
      let restored = try await scene.run("mailboot vault restore-header --force /var/lib/mailboot/headers/*.conf")
      #expect(restored.status == 0, "\(restored.stderr)")
      try await scene.succeed("printf 'otter lamp grammar ocelot' | mailboot --stdin", timeout: .seconds(240))
      try await scene.succeed("/usr/local/lib/mailboot-machine/read-mail first --wait 60 >/dev/null")
    }
  }
}
