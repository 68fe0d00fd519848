import Foundation
import MailHost
import TestSupport
import Testing

/// What a call of `mailhost` printed, and its exit code.
private func mailhost(_ words: String...) throws -> (code: Int32, output: String, errors: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: try builtProgram("mailhost"))
  process.arguments = words
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let texts = [output, errors].map { String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
  process.waitUntilExit()
  return (process.terminationStatus, texts[0], texts[1])
}

/// An inventory of two hosts in the layout that Ansible has.
private func inventory() throws -> TemporaryDirectory {
  let directory = try TemporaryDirectory()
  try directory.write(
    "group_vars/all/main.yml", "domain: example.org\nadmin_email: alice@{{ domain }}\nmail_db_name: a.db\n")
  try directory.write("group_vars/all/.hidden.yml", "a: b: c\n")
  try directory.write("group_vars/all/vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
  try directory.write("group_vars/cloud.yml", "cryptdir_root: /vault\nmail_db_name: b.db\n")
  try directory.write("host_vars/mail.yml", "mail_db_name: c.db\n")
  try directory.write("README.md", "a: b: c\n")
  return directory
}

@Test func anInventoryIsReadWithItsRanks() throws {
  let directory = try inventory()
  let file = directory.file("mailhost.toml")
  let call = try mailhost("adopt", "--from", directory.path, "--output", file)
  #expect(call.code == 0 && call.errors.isEmpty)
  #expect(call.output.hasSuffix("\nwrote \(file)\nnext: `mailhost plan --config \(file)`\n"))
  #expect(call.output.contains("\(directory.path)/group_vars/all/vault.yml"))
  let settings = try settings(of: file)
  #expect(settings.administrator == "alice@example.org" && settings.databaseName == "c.db")
  let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
  #expect(mode == 0o644)
  #expect(try directory.names() == ["README.md", "group_vars", "host_vars", "mailhost.toml"])
}

@Test func aFileThatIsThereIsNotOverwritten() throws {
  let directory = try inventory()
  let file = try directory.write("mailhost.toml", "mine\n")
  let call = try mailhost("adopt", "--from", directory.path, "--output", file)
  #expect(call.code == 1 && call.errors.contains("is there already"))
  #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine\n")
  // Not through a link to nothing either.
  let link = directory.file("link.toml")
  try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file("target"))
  #expect(try mailhost("adopt", "--from", directory.path, "--output", link).code == 1)
  #expect(try !directory.names().contains("target"))
}

@Test func whatIsMissingIsToBeFilledIn() throws {
  let directory = try TemporaryDirectory()
  let variables = try directory.write("host.yml", "mail_server_hostname: mail.example.org\n")
  let file = directory.file("mailhost.toml")
  let call = try mailhost("adopt", "--from", variables, "--output", file)
  #expect(call.code == 2 && call.output.contains("next: say in it what admin_email is, then `mailhost plan`"))
  #expect(try String(contentsOfFile: file, encoding: .utf8).contains("# admin_email = \n"))
}

@Test func aMistakeInAFileOfVariablesIsShownWithItsPlace() throws {
  let directory = try TemporaryDirectory()
  let variables = try directory.write("host.yml", "domain: example.org\nadmin_email: x: y\n")
  let file = directory.file("mailhost.toml")
  let broken = try mailhost("adopt", "--from", variables, "--output", file)
  #expect(
    broken.code == 78 && broken.errors.hasPrefix("error: \(variables):2:15: has a colon in a value without quotes"))
  try directory.write("host.yml", "domain: example.org\nadmin_email: alice\nfriendly_networks: [nowhere]\n")
  let invalid = try mailhost("adopt", "--from", variables, "--output", file)
  #expect(invalid.code == 78)
  #expect(invalid.errors.contains("error: \(variables):2:14: admin_email \"alice\" is not valid"))
  #expect(invalid.errors.contains("error: \(variables):3:21: friendly_networks \"nowhere\" is not valid"))
  #expect(try directory.names() == ["host.yml"])
}

@Test func whatCannotBeReadIsNamed() throws {
  let directory = try TemporaryDirectory()
  let file = directory.file("mailhost.toml")
  #expect(
    try mailhost("adopt", "--from", directory.path, "--output", file).errors.contains("there is no file of variables"))
  let none = try mailhost("adopt", "--from", directory.file("none"), "--output", file)
  #expect(none.code == 1 && none.errors.contains("none: No such file or directory"))
  try directory.write("bytes.yml", Data([0x61, 0x3a, 0x20, 0xff]))
  #expect(try mailhost("adopt", "--from", directory.path, "--output", file).errors.contains("is not UTF-8"))
  try directory.write("bytes.yml", String(repeating: "#", count: 2 << 20))
  #expect(try mailhost("adopt", "--from", directory.path, "--output", file).errors.contains("is larger than 1 MiB"))
  let both = try mailhost("adopt", "--keep-differences", "--from", directory.path, "--output", file)
  #expect(both.code == 64)
}

@Test func aPlaceThatCannotBeWrittenIsNamed() throws {
  let directory = try inventory()
  let call = try mailhost("adopt", "--from", directory.path, "--output", directory.file("none/mailhost.toml"))
  #expect([1, 77].contains(call.code) && call.errors.contains("No such file or directory"))
}
