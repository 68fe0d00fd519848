import MachineKit
import SceneSupport
import Testing

struct MainPathTests {
  @Test(arguments: Release.both)
  func aMailOutlivesAPowerCutInAVaultThatIsLockedAfterwards(_ release: Release) async throws {
    let guest = try await Machine.fresh(release)
    defer { guest.close() }
    try await MainPath.walk(on: guest)
  }
}
