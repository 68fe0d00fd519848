import MailbootConfiguration
import MailbootCore
import TestSupport
import Testing

/// `[[vault]]`: several of them, in one file and in many.
struct SeveralVaultsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// - Parameter dropIns: in the order of their names.
  private func read(_ main: String?, _ dropIns: String...) throws -> Configuration {
    let file = directory.file("mailboot.toml")
    if let main { try directory.write("mailboot.toml", main) }
    for (index, text) in dropIns.enumerated() { try directory.write("mailboot.toml.d/\(index).toml", text) }
    // A file that is named must be there.
    if main == nil { try directory.write("mailboot.toml", "") }
    do {
      return try ConfigurationFiles(path: file).configuration
    } catch .configuration(let error) {
      throw error
    }
  }

  private func issues(_ main: String, _ dropIns: String...) throws -> [String] {
    do {
      let file = directory.file("mailboot.toml")
      try directory.write("mailboot.toml", main)
      for (index, text) in dropIns.enumerated() { try directory.write("mailboot.toml.d/\(index).toml", text) }
      _ = try ConfigurationFiles(path: file)
      return []
    } catch let failure as Failure {
      guard case .configuration(let error) = failure else { throw failure }
      return error.issues.map { "\($0.key): \($0.message)" }
    }
  }

  private static let backup = "[[vault]]\nname = \"backup\"\ndevice = \"/dev/vdc\"\n"

  @Test func aDropInAddsAVaultWithPlacesOfItsOwn() throws {
    let configuration = try read("[vault]\ndevice = \"/dev/vdb\"\n", Self.backup)
    #expect(configuration.vault.device == "/dev/vdb")
    #expect(configuration.vault.name == "vault")
    #expect(configuration.vault.mapping == "vault-blk")
    let other = try #require(configuration.otherVaults.first)
    #expect(configuration.otherVaults.count == 1)
    #expect(other.name == "backup")
    #expect(other.device == "/dev/vdc")
    #expect(other.mapping == "vault-backup")
    #expect(other.mount == "/vault-backup")
  }

  @Test func aDropInAloneLeavesTheFirstVaultToItsDefaults() throws {
    let configuration = try read(nil, Self.backup)
    #expect(configuration.vault == Configuration.Vault())
    #expect(configuration.otherVaults.map(\.name) == ["backup"])
  }

  @Test func inOneFileTheFirstOfTheListIsTheFirstVault() throws {
    let mail = "[[vault]]\nname = \"mail\"\ndevice = \"/dev/vdb\"\n"
    let configuration = try read(mail + Self.backup)
    #expect(configuration.vault.name == "mail")
    #expect(configuration.vault.mount == "/vault")
    #expect(configuration.otherVaults.map(\.name) == ["backup"])
  }

  @Test func theOneThatIsCalledVaultComesFirst() throws {
    let configuration = try read(Self.backup + "[[vault]]\nname = \"vault\"\ndevice = \"/dev/vdb\"\n")
    #expect(configuration.vault.device == "/dev/vdb")
    #expect(configuration.otherVaults.map(\.name) == ["backup"])
  }

  @Test func entriesOfOneNameAreOneVault() throws {
    let configuration = try read(
      "[vault]\ndevice = \"/dev/vdb\"\n", Self.backup,
      "[[vault]]\nname = \"backup\"\nmount = \"/srv/backup\"\n[[vault]]\nname = \"vault\"\nmount = \"/mail\"\n")
    #expect(configuration.vault.device == "/dev/vdb")
    #expect(configuration.vault.mount == "/mail")
    #expect(configuration.otherVaults.map(\.mount) == ["/srv/backup"])
    #expect(configuration.otherVaults.map(\.device) == ["/dev/vdc"])
  }

  @Test func aLaterFileOfAnotherKindStartsAnew() throws {
    let configuration = try read(
      "[vault]\ndevice = \"/dev/vdb\"\nmapping = \"old\"\nmount = \"/mail\"\nheader = \"/root/h\"\n",
      "[vault]\ntype = \"gocryptfs\"\ndevice = \"/srv/crypt\"\n")
    #expect(configuration.vault.type == .gocryptfs)
    #expect(configuration.vault.device == "/srv/crypt")
    #expect(configuration.vault.mount == "/mail")
    #expect(configuration.vault.mapping == Configuration.Vault().mapping)
    #expect(configuration.vault.header == nil)
  }

  @Test func aLaterFileOfTheSameKindIsMergedByKey() throws {
    let configuration = try read(
      "[vault]\ntype = \"luks\"\ndevice = \"/dev/vdb\"\nmapping = \"old\"\n",
      "[vault]\ntype = \"luks\"\nmount = \"/m\"\n")
    #expect(configuration.vault.mapping == "old")
    #expect(configuration.vault.mount == "/m")
  }

  @Test(arguments: [
    ("mount = \"/vault\"", "vault[2].mount: /vault is the mount point of vault and of backup"),
    ("mapping = \"vault-blk\"", "vault[2].mapping: \"vault-blk\" is the mapping of vault and of backup"),
  ])
  func whatTwoVaultsCannotShareIsAnErrorThatNamesBoth(_ line: String, _ issue: String) throws {
    #expect(try issues("[vault]\ndevice = \"/dev/vdb\"\n", Self.backup + line + "\n") == [issue])
  }

  @Test func oneDeviceForTwoVaultsIsAnErrorThatNamesBoth() throws {
    #expect(
      try issues("[vault]\ndevice = \"/dev/vdc\"\n", Self.backup)
        == ["vault[2].device: /dev/vdc is the device of vault and of backup"])
  }

  @Test(arguments: [
    ("[[vault]]\ndevice = \"/dev/vdc\"\n", "vault[2].name: is missing"),
    ("[[vault]]\nname = \"backup\"\n", "vault[2].device: is missing"),
    ("[[vault]]\nname = \"Back up\"\ndevice = \"/dev/vdc\"\n", "vault[2].name: \"Back up\" is not valid"),
    (
      "[[vault]]\nname = \"c\"\ntype = \"bitlocker\"\ndevice = \"/dev/vdc\"\npim = 3\n",
      "vault[2].pim: means nothing for type \"bitlocker\""
    ),
  ])
  func aFurtherVaultNeedsNameAndDevice(_ text: String, _ issue: String) throws {
    #expect(try issues("[vault]\ndevice = \"/dev/vdb\"\n", text).contains(issue))
  }

  @Test func servicesNameVaultsThatThereAre() throws {
    let services =
      "[[service]]\nname = \"borg\"\nvaults = [\"backup\"]\n[[service]]\nname = \"x\"\nvaults = [\"other\"]\n"
    #expect(
      try issues("[vault]\ndevice = \"/dev/vdb\"\n" + services, Self.backup)
        == ["service[2].vaults: \"other\" is not a vault here"])
  }

  @Test func theFirstVaultsKeyFileIsElsewhere() throws {
    #expect(try issues("[vault]\nkey-file = \"/root/k\"\n") == ["vault.key-file: is for further vaults"])
  }

  @Test func whatIsShownIsReadBack() throws {
    let configuration = try read(
      "[vault]\ntype = \"luks\"\ndevice = \"/dev/vdb\"\n[[service]]\nname = \"borg\"\nvaults = [\"backup\"]\n",
      Self.backup + "type = \"veracrypt\"\npim = 12\nkey-file = \"/vault/keys/b\"\n")
    let again = try directory.write("again.toml", configuration.text())
    #expect(try ConfigurationFiles(path: again).configuration.vaults == configuration.vaults)
    #expect(try ConfigurationFiles(path: again).configuration.services == configuration.services)
  }

  @Test func selectingAVaultKeepsWhatBelongsToIt() throws {
    var configuration = try read(
      "[vault]\ndevice = \"/dev/vdb\"\n[[bind]]\nfrom = \"/vault/www\"\nto = \"/srv/www\"\n[[bind]]\n"
        + "from = \"/vault-backup/x\"\nto = \"/srv/x\"\n[[service]]\nname = \"postfix\"\n[[service]]\nname = \"borg\"\n"
        + "after = [\"postfix\"]\nvaults = [\"backup\"]\n", Self.backup)
    #expect(configuration.selecting(vault: "vault") == configuration)
    #expect(configuration.selecting(vault: "other") == nil)
    configuration = try #require(configuration.selecting(vault: "backup"))
    #expect(configuration.vault.name == "backup")
    #expect(configuration.otherVaults == [])
    #expect(configuration.binds.map(\.to) == ["/srv/x"])
    #expect(configuration.services == [Configuration.Service(name: "borg")])
  }
}
