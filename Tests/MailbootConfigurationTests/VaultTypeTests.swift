import MailbootCore
import Testing

@testable import MailbootConfiguration

/// `[vault] type`, and what goes with it.
struct VaultTypeTests {
  @Test func withoutOneItIsFoundOutOnTheMachine() throws {
    let vault = try configuration("[vault]\nmount = \"/x\"").vault
    #expect(vault.type == nil && vault.kind == .luks)
    #expect(vault.mappingName == "vault-blk" && vault.shownDevice == nil)
  }

  @Test(arguments: [("luks", VaultType.luks), ("gocryptfs", .gocryptfs), ("none", .plain)])
  func eachIsKnownByItsName(_ name: String, _ type: VaultType) throws {
    #expect(try configuration("[vault]\ntype = \"\(name)\"").vault.type == type)
  }

  @Test func anEncryptedDirectoryHasItsStandardPlace() throws {
    let vault = try configuration("[vault]\ntype = \"gocryptfs\"").vault
    #expect(vault.shownDevice == "/vault_crypt" && vault.mappingName == nil)
    let other = try configuration("[vault]\ntype = \"gocryptfs\"\ndevice = \"/srv/crypt\"\noptions = [\"ro\"]").vault
    #expect(other.shownDevice == "/srv/crypt" && other.options == ["ro"])
  }

  @Test(
    arguments: [
      (
        "type = \"luk\"",
        "2:1 vault.type \"luk\" is not valid | one of \"luks\", \"veracrypt\", \"bitlocker\", \"gocryptfs\", \"none\""
      ),
      (
        "type = \"gocryptfs\"\nmapping = \"x\"",
        "3:1 vault.mapping means nothing for type \"gocryptfs\" | `mount`, `device`, `options`"
      ),
      (
        "type = \"gocryptfs\"\nfilesystem = \"ext4\"",
        "3:1 vault.filesystem means nothing for type \"gocryptfs\" | `mount`, `device`, `options`"
      ),
      (
        "type = \"gocryptfs\"\nheader = \"/h\"",
        "3:1 vault.header means nothing for type \"gocryptfs\" | `mount`, `device`, `options`"
      ),
      ("device = \"/dev/x\"\ntype = \"none\"", "2:1 vault.device means nothing for type \"none\" | only `mount`"),
      ("type = \"none\"\noptions = []", "3:1 vault.options means nothing for type \"none\" | only `mount`"),
      (
        "type = \"gocryptfs\"\ndevice = \"UUID=1\"",
        "3:1 vault.device \"UUID=1\" is no directory | an absolute path such as \"/vault_crypt\""
      ),
      (
        "type = \"gocryptfs\"\ndevice = \"/vault/crypt\"",
        "3:1 vault.device \"/vault/crypt\" and the mount point \"/vault\" lie in each other"
      ),
      (
        "type = \"gocryptfs\"\ndevice = \"/srv\"\nmount = \"/srv/vault\"",
        "3:1 vault.device \"/srv\" and the mount point \"/srv/vault\" lie in each other"
      ),
      (
        "type = \"gocryptfs\"\nmount = \"/vault_crypt//clear/\"",
        "1:1 vault.device \"/vault_crypt\" and the mount point \"/vault_crypt/clear\" lie in each other"
      ),
    ])
  func whatDoesNotGoTogetherIsAnError(_ toml: String, _ line: String) {
    #expect(issues("[vault]\n" + toml).map(\.line) == [line])
  }

  @Test(arguments: VaultType.allCases)
  func whatIsShownCanBeReadBack(_ type: VaultType) throws {
    // What is not looked for must be named.
    let device = type.isForeign ? "\ndevice = \"/dev/vdb\"" : ""
    let settings = try configuration("[vault]\ntype = \"\(type.rawValue)\"\nmount = \"/x\"" + device)
    let again = try configuration(settings.text())
    #expect(again.vault.type == type && again.vault.mount == "/x")
    #expect(again.text() == settings.text())
  }

  @Test func aNeighbourIsNoPart() {
    #expect(issues("[vault]\ntype = \"gocryptfs\"\ndevice = \"/vault2\"\nmount = \"/vault\"").isEmpty)
  }
}
