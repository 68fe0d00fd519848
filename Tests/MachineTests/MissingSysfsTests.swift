import MachineKit
import SceneSupport
import Testing

/// Mappings are read from sysfs.
struct MissingSysfsTests {
  @Test func withoutSysfsStatusIsUnknown() async throws {
    try await MailHosts.with(.debian12) { host in
      let hidden = "unshare --mount sh -c 'mount -t tmpfs none /sys && mailboot"
      let status = try await host.attempt("\(hidden) status'")
      #expect(status.status == 1)
      #expect(status.stdout.contains("mail: unknown"), "\(status.stdout)\(status.stderr)")
      let unlock = try await host.attempt("\(hidden) --stdin'", stdin: GuestCredentials.vaultPassphrase)
      unlock.expectFailure(1, error: "/sys is not mounted", hint: nil)
    }
  }
}
