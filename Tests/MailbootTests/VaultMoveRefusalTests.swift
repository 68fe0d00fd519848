import Foundation
import TestSupport
import Testing

/// What `mailboot vault move` says before it does anything, which takes neither a service nor an open vault.
struct VaultMoveRefusalTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    _ = try directory.write(
      "mailboot.toml",
      """
      [[vault]]
      name = "vault"
      device = "/dev/nosuch"
      mount = "/nosuch/vault"
      options = ["nosuid"]
      [[vault]]
      name = "backup"
      device = "/dev/nosuch-backup"
      mapping = "backup"
      mount = "/nosuch/backup"
      [[service]]
      name = "cron"
      vaults = ["backup"]

      """)
    _ = try directory.write(
      "next-vault.toml",
      "[vault]\ntype = \"gocryptfs\"\ndevice = \"/nosuch/crypt\"\nmount = \"/nosuch/vault\"\n")
  }

  private func move(_ arguments: String = "") throws -> (status: Int32, output: String) {
    try runInShell(
      "\(try builtProgram("mailboot")) vault move --config \(directory.file("mailboot.toml")) \(arguments) </dev/null")
  }

  /// The new one is laid over the configuration as any drop-in is: the further vaults stay, and so may its kind be another.
  @Test func aHostOfSeveralVaultsMayMove() throws {
    let run = try move()
    #expect(run.status != 78 && run.status != 0, "\(run.output)")
  }

  @Test func aFurtherVaultIsNotPutInThePlaceOfTheFirst() throws {
    let run = try move("--vault backup")
    #expect(run.status == 64 && run.output.contains("only the first vault can be moved"), "\(run.output)")
    #expect(FileManager.default.fileExists(atPath: directory.file("next-vault.toml")))
  }

  @Test func whatIsToBeTypedInsteadWorksAsItStands() throws {
    try FileManager.default.removeItem(atPath: directory.file("next-vault.toml"))
    let run = try move()
    #expect(run.status == 64 && run.output.contains("create --type gocryptfs --directory DIR --next"), "\(run.output)")
  }
}
