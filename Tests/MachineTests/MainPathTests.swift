import Foundation
import MachineKit
import Testing

/// What the program is for, on a whole machine with nothing turned off: locked, unlocked, mail in, mail out, power cut, again.
@Suite struct MainPathTests {
  private static let tools = "/usr/local/lib/mailboot-machine"

  @Test(arguments: Release.both)
  func aMailOutlivesAPowerCutInAVaultThatIsLockedAfterwards(_ release: Release) async throws {
    let machine = try await Machine.fresh(release)
    defer { machine.close() }
    try await expectLocked(machine)

    // At a real terminal, as a person does.
    try await machine.ttyS0.logIn()
    try machine.ttyS0.send("mailboot\n")
    try await machine.ttyS0.expect("Passphrase of the vault: ", timeout: .seconds(60))
    try machine.ttyS0.send(GuestCredentials.vaultPassphrase + "\n")
    let shown = try await machine.ttyS0.expect(matching: "ready in [0-9.]+ s[^\n]*\n", timeout: .seconds(600))
    #expect(!shown.contains(GuestCredentials.vaultPassphrase))
    try await expectReady(machine)
    try await expectTheDoorOpenedLast(machine)

    try await machine.succeed("\(Self.tools)/send-mail kept", timeout: .seconds(120))
    #expect(try await read("kept", machine).contains("Subject: kept"))

    try await machine.powerCut()
    try await machine.bootAgain()
    try await expectLocked(machine)

    let again = try await machine.run(
      "mailboot --stdin", stdin: Data(GuestCredentials.vaultPassphrase.utf8), timeout: .seconds(600))
    #expect(again.status == 0, "\(again.stderr)")
    try await expectReady(machine)
    #expect(try await read("kept", machine).contains("Subject: kept"))
  }

  /// Reads a mail as a client does: when dovecot is still busy with the mailbox (the first mail makes it, a power cut has it mended) it
  /// answers NO to the selection, and the client comes again.
  private func read(_ subject: String, _ machine: Machine) async throws -> String {
    try await machine.succeed(
      "for try in 1 2 3 4 5 6; do \(Self.tools)/read-mail \(subject) --wait 30 && exit 0; sleep 3; done; exit 1",
      timeout: .seconds(400))
  }

  private func expectLocked(_ machine: Machine) async throws {
    let status = try await machine.run("mailboot status --format json")
    #expect(status.status == 2)
    #expect(status.stdout.contains("\"state\": \"locked\""))
    // Refused, not merely silent: nothing listens.
    #expect(try await machine.succeed("ss -Htln 'sport = :25'").isEmpty)
    #expect(try await machine.succeed("ls -A /vault").isEmpty)
  }

  private func expectReady(_ machine: Machine) async throws {
    let status = try await machine.run("mailboot status --format json")
    #expect(status.status == 0, "\(status.stdout)")
    #expect(status.stdout.contains("\"state\": \"ready\""))
    #expect(try await machine.run("runuser -u alice -- mailboot status").status == 0, "needs no privilege")
  }

  /// By systemd's own times: postfix's working unit began after all others were active.
  private func expectTheDoorOpenedLast(_ machine: Machine) async throws {
    let unit = machine.release == .debian12 ? "postfix@-.service" : "postfix.service"
    let door = try await microseconds("InactiveExitTimestampMonotonic", unit, machine)
    for other in ["redis-server", "rspamd", "dovecot"] {
      let ready = try await microseconds("ActiveEnterTimestampMonotonic", other, machine)
      #expect(ready < door, "\(other) was active before \(unit) was started")
    }
  }

  private func microseconds(_ property: String, _ unit: String, _ machine: Machine) async throws -> Int {
    let text = try await machine.succeed("systemctl show --value -p \(property) \(unit)")
    return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }
}
