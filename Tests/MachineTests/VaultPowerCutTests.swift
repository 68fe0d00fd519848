import MachineKit
import Testing

/// Power that fails while a vault is made, keyed, restored, grown and rekeyed: a sample of the table in docs/power-cuts.md.
struct VaultPowerCutTests {
  // On one release, for the time it takes; libcryptsetup writes the same in both.
  @Test func aPowerCutLosesNothingAndTheNextRunGoesOn() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    for scene in PowerCuts.Scene.all {
      let rows = try await PowerCuts(machine).run(scene, count: 3)
      #expect(!rows.isEmpty)
      for row in rows { #expect(row.isWell, "\(row)") }
    }
  }
}
