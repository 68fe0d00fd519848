import Foundation
import Testing

/// `mailhost apply` on real files, as root does it while an image is made.
struct ApplyTests {
  @Test func aTreeWithoutConfigurationBecomesAMailHost() throws {
    let tree = try HostTree()
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 0, "\(applied)")
    #expect(applied.output == "generation 1 is in place\n")
    #expect(tree.text("/etc/postfix/main.cf")?.contains("\nmyhostname = mail.example.org\n") == true)
    #expect(tree.text("/etc/dovecot/dovecot.conf")?.contains("/vault/vmail/%d/%n") == true)
    #expect(tree.text("/vault/dkim/example.org.202001.key")?.hasPrefix("-----BEGIN PRIVATE KEY-----") == true)
    #expect(
      tree.text("/vault/dkim/example.org.202001.txt")?.hasPrefix("202001._domainkey IN TXT ( \"v=DKIM1; k=rsa; p=")
        == true)
    #expect(tree.text("/vault/sieve/before.d/separate_spam.sieve") != nil)
    let database = try DatabaseText(tree.path + "/vault/maildb/maildb.sqlite3")
    #expect(try database.rows("SELECT name FROM domains") == ["example.org"])
    #expect(try database.rows("SELECT email, password FROM users") == ["alice@example.org|!"])
    #expect(
      try database.rows("SELECT src FROM aliases ORDER BY src")
        == ["abuse", "postmaster", "root", "security", "webmaster"].map { "\($0)@example.org" })
    #expect(try database.rows("SELECT receives, sends FROM users") == ["1|1"])
  }

  @Test func theSecondTimeThereIsNothingToDo() throws {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    let before = tree.configuration()
    let plan = try tree.mailhost(["plan"])
    #expect(plan.status == 0)
    #expect(plan.output == "nothing to do\n")
    let again = try tree.mailhost(["apply"])
    #expect(again.status == 0)
    #expect(again.output == "nothing to do\n")
    #expect(tree.configuration() == before)
    #expect(try tree.mailhost(["history"]).output.split(separator: "\n").count == 1)
  }

  @Test func accountsAreMadeOnceAndNeverTouchedAgain() throws {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    let path = tree.path + "/vault/maildb/maildb.sqlite3"
    let database = try DatabaseText(path)
    _ = try database.rows("UPDATE users SET password='$6$changed$later', active=0")
    try tree.settings("mail_aliases = [{ src = \"info@example.org\", dst = \"alice@example.org\" }]")
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 0, "\(applied)")
    #expect(try database.rows("SELECT password, active FROM users") == ["$6$changed$later|0"])
    #expect(try database.rows("SELECT dst FROM aliases WHERE src='info@example.org'") == ["alice@example.org"])
  }

  @Test func whatIsNotNeededAnyMoreGoes() throws {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    #expect(tree.text("/etc/dovecot/dovecot-sql.conf.ext") != nil)
    let packages = tree.text("/var/lib/dpkg/status") ?? ""
    try tree.write("/var/lib/dpkg/status", packages.replacing("1:2.3.19.1+dfsg1-2.1+deb12u7", with: "1:2.4.1+dfsg1-6"))
    let plan = try tree.mailhost(["plan", "--short"])
    #expect(plan.status == 2)
    #expect(plan.output.contains("remove  file /etc/dovecot/dovecot-sql.conf.ext (is not needed any more)\n"))
    #expect(try tree.mailhost(["apply"]).status == 0)
    #expect(tree.text("/etc/dovecot/dovecot-sql.conf.ext") == nil)
    #expect(tree.text("/etc/dovecot/dovecot.conf")?.contains("\ndovecot_config_version = 2.4.1\n") == true)
    // And comes back with the old version.
    #expect(try tree.mailhost(["rollback"]).status == 0)
    #expect(tree.text("/etc/dovecot/dovecot-sql.conf.ext") != nil)
    #expect(tree.text("/etc/dovecot/dovecot.conf")?.contains("mail_location = ") == true)
  }

  @Test func rollbackToNothingLeavesTheHostAsItWasBefore() throws {
    let tree = try HostTree()
    try tree.write("/etc/postfix/main.cf", "myhostname = other\n")
    let before = tree.configuration()
    #expect(try tree.mailhost(["apply", "--overwrite", "/etc/postfix/main.cf"]).status == 0)
    try tree.settings("message_size_limit = 1000000")
    #expect(try tree.mailhost(["apply"]).status == 0)
    let back = try tree.mailhost(["rollback", "0"])
    #expect(back.status == 0, "\(back)")
    #expect(tree.configuration() == before)
    let history = try tree.mailhost(["history"]).output
    #expect(history.hasPrefix("*   3  "))
    #expect(history.contains("rollback to 0"))
  }

  @Test func manyGenerationsLaterTheHostBeforeUsIsStillKnown() throws {
    let tree = try HostTree()
    try tree.write("/etc/postfix/main.cf", "myhostname = other\n")
    let before = tree.configuration()
    try tree.settings("dkim_selector = \"\"")
    #expect(try tree.mailhost(["apply", "--overwrite", "/etc/postfix/main.cf"]).status == 0)
    for size in 1...22 {
      try tree.settings("dkim_selector = \"\"\nmessage_size_limit = \(size)00000")
      #expect(try tree.mailhost(["apply"]).status == 0)
    }
    #expect(try tree.mailhost(["history"]).output.split(separator: "\n").count == 21)
    #expect(try tree.mailhost(["rollback", "0"]).status == 0)
    #expect(tree.configuration() == before)
  }

  @Test func aModeThatIsNotOursIsMended() throws {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    chmod(tree.path + "/etc/postfix/main.cf", 0o666)
    chmod(tree.path + "/vault/dkim", 0o777)
    let plan = try tree.mailhost(["plan"])
    #expect(plan.output.contains("change  file /etc/postfix/main.cf (is root:root 0666, not root:root 0644)\n"))
    #expect(plan.output.contains("change  directory /vault/dkim (is _rspamd:_rspamd 0777, not _rspamd:_rspamd 0750)\n"))
    #expect(try tree.mailhost(["apply"]).status == 0)
    #expect(try tree.mailhost(["plan"]).status == 0)
  }

  @Test func aLinkInTheVaultIsNotFollowed() throws {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    let filters = tree.path + "/vault/sieve/before.d"
    try FileManager.default.removeItem(atPath: filters)
    try FileManager.default.createDirectory(atPath: tree.path + "/elsewhere", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: filters, withDestinationPath: tree.path + "/elsewhere")
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.path + "/elsewhere").isEmpty)
  }
}

/// A database's rows as texts, by the sqlite3 program.
struct DatabaseText {
  private let path: String

  init(_ path: String) throws { self.path = path }

  func rows(_ sql: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
    process.arguments = ["-bail", path, sql]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
