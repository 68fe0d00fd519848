import MachineKit
import Testing

/// Power that fails while the volume itself is changed: a sample of the table in docs/power-cuts.md.
struct VaultPowerCutTests {
  // On one release, for the time it takes; libcryptsetup writes the same in both.
  @Test func aPowerCutWhileTheVaultIsRekeyedOrGrownLosesNothing() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    for (scene, first) in [(PowerCuts.Scene.rekey, 4.0), (.grow, 3.0)] {
      let rows = try await PowerCuts(machine).run(scene, first: first, interval: 2, count: 2)
      #expect(!rows.isEmpty)
      for row in rows { #expect(row.isWell, "\(row)") }
    }
  }
}
