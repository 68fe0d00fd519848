import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// What kind of vault a machine has whose configuration does not say.
struct FoundVaultTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func found(device: String? = nil, crypttab: String = "", luks: [String] = []) throws -> VaultType {
    var vault = Configuration.Vault()
    vault.device = device
    vault.mapping = "no-such-mapping"
    var found = FoundVault(vault)
    found.directory = directory.file("vault_crypt")
    found.crypttab = try directory.write("crypttab", crypttab)
    found.luksDevices = { luks }
    return found.type
  }

  @Test func aVaultIsThereWhenAnythingCouldBeIt() throws {
    var vault = Configuration.Vault()
    vault.mapping = "no-such-mapping"
    func isThere() -> Bool {
      var found = FoundVault(vault)
      found.directory = directory.file("vault_crypt")
      found.crypttab = directory.file("none")
      found.luksDevices = { [] }
      return found.isThere
    }
    #expect(!isThere())
    vault.type = .luks
    #expect(!isThere())
    vault.device = "UUID=1"
    #expect(isThere())
    vault.device = nil
    vault.type = .plain
    #expect(isThere())
    vault.type = nil
    try directory.write("vault_crypt/gocryptfs.conf", "")
    #expect(isThere())
  }

  @Test func aHostWithNeitherIsTakenForOneWithALUKSDeviceToCome() throws {
    #expect(try found() == .luks)
  }

  @Test func theDirectoryAtItsStandardPlaceIsFound() throws {
    try directory.write("vault_crypt/gocryptfs.conf", "")
    #expect(try found() == .gocryptfs)
  }

  @Test func whatIsJustADirectoryIsNot() throws {
    try directory.write("vault_crypt/file", "")
    #expect(try found() == .luks)
  }

  @Test func aLUKSDeviceWins() throws {
    try directory.write("vault_crypt/gocryptfs.conf", "")
    #expect(try found(luks: ["/dev/vdb"]) == .luks)
    #expect(try found(crypttab: "no-such-mapping /dev/vdb none\n") == .luks)
  }

  @Test func aDeviceThatIsADirectoryIsOneOfGocryptfs() throws {
    #expect(try found(device: directory.path, luks: ["/dev/vdb"]) == .gocryptfs)
    #expect(try found(device: try directory.write("image", "")) == .luks)
    #expect(try found(device: "/dev/no-such") == .luks)
    #expect(try found(device: "UUID=1234") == .luks)
  }

  @Test func whatTheConfigurationSaysStays() {
    var configuration = Configuration()
    configuration.vault.type = .plain
    #expect(completed(configuration) == configuration)
  }
}
