import MachineKit
import SceneSupport

/// Lends native hosts to the tests, a fresh one to each.
enum MailHosts {
  /// Runs `test` on a locked host that nobody has touched.
  static func with(_ release: Release, _ test: (MailHost) async throws -> Void) async throws {
    let guest = try await NativeHost.fresh(release)
    defer { guest.close() }
    let host = MailHost(guest, .gocryptfs)
    try await host.prepare()
    try await test(host)
  }
}
