import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// A vault that is none.
struct PlainDirectoryTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func kind(_ path: String) -> any VaultKind {
    var configuration = Configuration()
    configuration.vault.type = .plain
    configuration.vault.mount = path
    return VaultKinds.make(configuration)
  }

  @Test func aDirectoryIsAlwaysOpenWithTheSpaceOfWhatItLiesIn() throws {
    let (opening, mount) = try kind(directory.path).observe(try #require(MountTable.current()))
    #expect(opening == .open(OpenVault(device: nil)))
    #expect(mount?.sizeBytes ?? 0 > 0)
    let observation = Observation(opening: opening, mount: mount, bindsMounted: [], services: nil)
    #expect(observation.vaultMounted)
  }

  @Test func aDirectoryThatIsMissingIsSaid() throws {
    let table = try #require(MountTable.current())
    let path = directory.file("no")
    #expect(
      try kind(path).observe(table).opening == .broken("there is no directory \(path): No such file or directory"))
    let file = try directory.write("file", "")
    #expect(try kind(file).observe(table).opening == .broken("\(file) is not a directory"))
  }

  @Test func thereIsNoKeyToTakeAway() {
    #expect(throws: Failure.self) { try kind(directory.path).isThereInEmergency() }
  }
}
