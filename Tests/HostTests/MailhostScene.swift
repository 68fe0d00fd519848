import Foundation
import MachineKit
import SceneSupport
import Testing

/// A Debian on which nobody has done anything yet, to be made a mail host by `mailhost`.
struct MailhostScene {
  let host: NativeHost

  /// Ten lines of TOML. The passwords are secret-alice and secret-bob.
  static let settings = """
    mail_server_hostname = "mail.example.org"
    admin_email = "alice@example.org"
    mail_domains = ["example.org", "example.net"]
    mail_users = [
      { email = "alice@example.org", password_hash = "$6$Rk3vQz7PbN1xWd5h$0Vm.Ni2IXlaxrbIdNtKX4JRO3BlK8Fq4FGX2mk9H6aN2Z6csEHfflvEBts/taiLO1o.5mL2Bwqh4bJqA6TSQp1" },
      { email = "bob@example.org", password_hash = "$6$Yt8mLc2JsF6gHa9u$S.N/eNDKj0fwa4FyYXsBzmquCnLdlhsmBXci7zJReW2X0pMVZCA0mehlRY00YvF3.yw1DylrQKXbpeQkILGhB0" },
    ]
    mail_aliases = [{ src = "info@example.org", dst = "bob@example.org" }]
    mail_local_admin_aliases = ["postmaster", "abuse"]
    dkim_selector = "202611"

    """

  /// Runs `test` on a bare host with a closed gocryptfs vault and our package installed.
  /// - Parameter withVault: false: there is none yet.
  static func bare(
    _ release: Release, next: Release? = nil, withVault: Bool = true, _ test: (MailhostScene) async throws -> Void
  ) async throws {
    let scene = MailhostScene(host: try await NativeHost.bare(release, next: next))
    defer { scene.host.close() }
    try await scene.host.succeed(
      """
      set -e
      if \(withVault); then
        mkdir -m 0700 /vault_crypt; mkdir -p /vault
        printf '\(GuestCredentials.vaultPassphrase)' | gocryptfs -q -init /vault_crypt
      fi
      apt-get -qq update
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install /root/mailboot.deb >/root/install.log 2>&1
      """, timeout: .seconds(180))
    try await scene.settings()
    try await test(scene)
  }

  /// Runs `test` on a host that `mailhost` has made, unlocked and with its services up.
  /// - Parameter withRepository: whether packages of others can be installed there, see `machine/packages/foreign`.
  static func made(
    _ release: Release, withRepository: Bool = false, _ test: (MailhostScene) async throws -> Void
  ) async throws {
    let guest = try await withRepository ? NativeHost.withRepository(release) : NativeHost.fresh(release)
    defer { guest.close() }
    let scene = MailhostScene(host: guest)
    try await scene.unlock()
    // As every host but these, whose scenes start the services by hand.
    try await scene.succeed("mailhost apply --no-test")
    try await test(scene)
  }

  func settings(_ lines: String = "") async throws {
    try await host.put("/etc/mailboot/mailhost.toml", Data((Self.settings + lines).utf8), mode: 0o644)
  }

  /// Lines of the administrator's own, in a drop-in.
  func own(_ lines: String) async throws {
    try await host.succeed("mkdir -p /etc/mailboot/mailhost.toml.d")
    try await host.put("/etc/mailboot/mailhost.toml.d/50-own.toml", Data((lines + "\n").utf8), mode: 0o644)
  }

  @discardableResult
  func succeed(_ command: String, timeout: Duration = .seconds(240)) async throws -> String {
    try await host.succeed(command, timeout: timeout)
  }

  func run(_ command: String, timeout: Duration = .seconds(240)) async throws -> CommandOutput {
    try await host.run(command, timeout: timeout)
  }

  func unlock() async throws {
    try await host.succeed("printf '\(GuestCredentials.vaultPassphrase)' | mailboot --stdin", timeout: .seconds(240))
  }

  /// One look of `mailhost test` that failed.
  struct Failed: Decodable, Equatable, CustomStringConvertible {
    var name: String
    var detail: String
    var description: String { "\(name): \(detail)" }
  }

  /// What failed of `mailhost test`.
  private func failed() async throws -> [Failed] {
    let output = try await host.run("mailhost test --format json", timeout: .seconds(120))
    struct Record: Decodable {
      struct Test: Decodable {
        var name: String
        var result: String
        var detail: String
      }
      var tests: [Test]
    }
    let record = try JSONDecoder().decode(Record.self, from: output.standardOutput)
    #expect(record.tests.count > 15)
    return record.tests.filter { $0.result == "fail" }.map { Failed(name: $0.name, detail: $0.detail) }
  }

  /// The names of the proofs of `mailhost test` that failed.
  func failedProofs() async throws -> Set<String> { Set(try await failed().map(\.name)) }

  /// Expects that the host does all that it is to do.
  func expectProven(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let failed = try await failed()
    #expect(failed.isEmpty, "\(failed)", sourceLocation: sourceLocation)
  }
}
