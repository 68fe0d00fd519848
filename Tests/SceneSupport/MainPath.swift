import Foundation
import MachineKit
import Testing

/// What the program is for, on a whole host with nothing turned off: locked, unlocked, mail in, mail out, power cut, again.
public enum MainPath {
  private static let tools = "/usr/local/lib/mailboot-machine"

  /// Expects that a mail outlives a power cut in a vault that is locked afterwards.
  /// - Parameter guest: fresh, booted; nobody has touched it.
  public static func walk(on guest: any Guest) async throws {
    try await expectLocked(guest)

    // At a real terminal, as a person does.
    try await guest.ttyS0.logIn()
    try guest.ttyS0.send("mailboot\n")
    try await guest.ttyS0.expect("Passphrase of the vault: ", timeout: .seconds(60))
    try guest.ttyS0.send(GuestCredentials.vaultPassphrase + "\n")
    let shown = try await guest.ttyS0.expect(matching: "ready in [0-9.]+ s[^\n]*\n", timeout: .seconds(600))
    #expect(!shown.contains(GuestCredentials.vaultPassphrase))
    try await expectReady(guest)
    try await expectTheDoorOpenedLast(guest)

    try await guest.succeed("\(Self.tools)/send-mail kept", timeout: .seconds(120))
    #expect(try await read("kept", guest).contains("Subject: kept"))

    // Not the vault: rspamd compiles patterns into files beside it, and 3.12 crashes for good on one that a power cut left half written.
    try await guest.succeed("sync -f /var/lib/rspamd")
    try await guest.powerCut()
    try await guest.bootAgain()
    try await expectLocked(guest)

    let again = try await guest.run(
      "mailboot --stdin", stdin: Data(GuestCredentials.vaultPassphrase.utf8), timeout: .seconds(600))
    #expect(again.status == 0, "\(again.stderr)")
    try await expectReady(guest)
    #expect(try await read("kept", guest).contains("Subject: kept"))
  }

  /// Reads a mail as a client does: when dovecot is still busy with the mailbox (the first mail makes it, a power cut has it mended) it
  /// answers NO to the selection, and the client comes again.
  private static func read(_ subject: String, _ guest: any Guest) async throws -> String {
    try await guest.succeed(
      "for try in 1 2 3 4 5 6; do \(Self.tools)/read-mail \(subject) --wait 30 && exit 0; sleep 3; done; exit 1",
      timeout: .seconds(400))
  }

  private static func expectLocked(_ guest: any Guest) async throws {
    let status = try await guest.run("mailboot status --format json")
    #expect(status.status == 2)
    #expect(status.stdout.contains("\"state\": \"locked\""))
    // Refused, not merely silent: nothing listens.
    #expect(try await guest.succeed("ss -Htln 'sport = :25'").isEmpty)
    #expect(try await guest.succeed("ls -A /vault").isEmpty)
  }

  private static func expectReady(_ guest: any Guest) async throws {
    let status = try await guest.run("mailboot status --format json")
    #expect(status.status == 0, "\(status.stdout)")
    #expect(status.stdout.contains("\"state\": \"ready\""))
    #expect(try await guest.run("runuser -u alice -- mailboot status").status == 0, "needs no privilege")
  }

  /// By the kernel's and systemd's times: the process that listens began after all others were active.
  private static func expectTheDoorOpenedLast(_ guest: any Guest) async throws {
    // In hundredths of a second, rounded down.
    let began = try await guest.succeed("awk '{ print $22 }' /proc/$(pgrep -x master)/stat")
    let door = (try #require(Int(began.trimmingCharacters(in: .whitespacesAndNewlines))) + 1) * 10_000
    for other in ["redis-server", "rspamd", "dovecot"] {
      let ready = try await microseconds("ActiveEnterTimestampMonotonic", other, guest)
      #expect(ready < door, "\(other) was active before postfix' master was started")
    }
  }

  private static func microseconds(_ property: String, _ unit: String, _ guest: any Guest) async throws -> Int {
    let text = try await guest.succeed("systemctl show --value -p \(property) \(unit)")
    return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }
}
