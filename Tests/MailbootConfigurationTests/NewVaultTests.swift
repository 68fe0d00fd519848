import MailbootConfiguration
import MailbootCore
import Testing

struct NewVaultTests {
  private func vault(_ place: NewVault.Place, _ purpose: NewVault.Purpose = .first) -> NewVault {
    NewVault(
      place: place, purpose: purpose, mapping: "vault-blk", mount: "/vault", filesystem: "xfs", label: "vault",
      cost: KeyDerivationCost(totalMemoryKiB: 4096))
  }

  private func read(_ text: String) throws -> Configuration {
    let merged = try MergedTOML([("mailboot.toml", Array(text.utf8))])
    return try Configuration(decoding: #require(merged.root))
  }

  @Test func whatItWritesIsReadAsThatVault() throws {
    let luks = try read(vault(.device("/dev/vdb")).configuration(device: "UUID=12ab")).vault
    #expect(luks.type == .luks)
    #expect(luks.device == "UUID=12ab")
    #expect(luks.mapping == "vault-blk")
    #expect(luks.filesystem == "xfs")
    #expect(luks.mount == "/vault")
    let directory = try read(vault(.directory("/vault_crypt")).configuration(device: "/vault_crypt")).vault
    #expect(directory.type == .gocryptfs)
    #expect(directory.device == "/vault_crypt")
  }

  @Test func aStrangePathIsWrittenSoThatItIsReadBack() throws {
    let path = "/srv/a \"b\" \\ c\u{7f}/v.luks"
    #expect(try read(vault(.file(path, bytes: 1)).configuration(device: path)).vault.device == path)
  }

  @Test func oneThatWaitsForAMoveIsWrittenLikeTheFirst() {
    let next = vault(.device("/dev/vdc"), .next).configuration(device: "UUID=1")
    #expect(next == vault(.device("/dev/vdc")).configuration(device: "UUID=1"))
  }

  @Test func anotherOneHasItsName() {
    let text = vault(.device("/dev/vdc"), .another("backup")).configuration(device: "UUID=1")
    #expect(text.contains("[[vault]]\nname = \"backup\"\n"))
  }
}
