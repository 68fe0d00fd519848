import JSON
import MailHost
import TestSupport
import Testing

private let facts = SavedPathFacts(
  settingsFile: "/etc/mailboot/mailhost.toml", mailbootFile: "/etc/mailboot/mailboot.toml", state: "/var/lib/mailhost",
  vault: .init(source: .gocryptfs(directory: "/vault_crypt", configuration: "gocryptfs.conf")))

private let settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")

/// What a backup must have, and what not.
struct SavedPathTests {
  @Test func everythingThatCannotBeMadeAgainIsSaved() {
    #expect(
      settings.savedPaths(facts).map(\.path) == [
        "/vault/maildb/maildb.sqlite3", "/vault/vmail", "/vault/sieve", "/vault/dkim", "/etc/mailboot/mailhost.toml",
        "/etc/mailboot/mailhost.toml.d", "/etc/mailboot/mailboot.toml", "/etc/mailboot/mailboot.toml.d",
        "/var/lib/mailhost", "/etc/letsencrypt/live/mail.example.org/fullchain.pem",
        "/etc/letsencrypt/live/mail.example.org/privkey.pem", "/vault_crypt/gocryptfs.conf",
      ])
    #expect(settings.savedPaths(facts).filter { $0.vault != nil }.count == 4)
    #expect(settings.savedPaths(facts).first?.note.contains("`mailcfg backup FILE`") == true)
    #expect(
      settings.unsavedPaths(facts).map(\.path) == [
        "/vault/postfix", "/vault/redis/dump.rdb", "/vault/vmail/**/dovecot.index*",
        "/vault/vmail/**/dovecot.list.index*",
      ])
  }

  @Test func theSettingsSayWhereThingsAre() throws {
    let own = try hostSettings([
      "mailhost.toml": neededSettings + """
        mail_spool_root = "/srv/mail"
        mail_db_root = "/srv/db"
        mail_db_name = "a.db"
        mail_queue_dir = "/var/spool/postfix"
        dkim_selector = ""
        spam_filter = ""
        mail_ssl_cert = "/etc/ssl/mail.pem"
        mail_ssl_certkey = "/etc/ssl/mail.pem"

        [smarthost]
        host = "smtp.example.net"
        password_file = "/etc/mailboot/smarthost"
        """
    ])
    let saved = own.savedPaths(facts).map(\.path)
    #expect(saved.prefix(3) == ["/srv/db/a.db", "/srv/mail", "/vault/sieve"])
    #expect(!saved.contains("/vault/dkim"))
    #expect(saved.count { $0 == "/etc/ssl/mail.pem" } == 1)
    #expect(saved.contains("/etc/mailboot/smarthost"))
    #expect(own.savedPaths(facts).filter { $0.vault != nil }.map(\.path) == ["/vault/sieve"])
    #expect(own.unsavedPaths(facts).map(\.path).first == "/var/spool/postfix")
    #expect(own.unsavedPaths(facts).allSatisfy { $0.vault == nil })
  }

  @Test func eachKindOfVaultHasItsOwnWay() {
    var other = facts
    other.vault.source = .luks(device: "UUID=1", header: nil)
    #expect(
      other.vault.source.hint?.contains("`cryptsetup luksHeaderBackup 'UUID=1' --header-backup-file FILE`") == true)
    #expect(!settings.savedPaths(other).map(\.path).contains { $0.hasPrefix("/vault_crypt") })
    other.vault.source = .luks(device: nil, header: "/boot/header.img")
    #expect(settings.savedPaths(other).map(\.path).last == "/boot/header.img")
    other.vault.source = .none
    #expect(other.vault.source.hint == nil)
    #expect(settings.savedPaths(other).allSatisfy { $0.vault == nil })
    #expect(settings.unsavedPaths(other).allSatisfy { $0.vault == nil })
  }

  @Test func everyVaultIsNamedWithWhatOpensIt() throws {
    var several = facts
    several.otherVaults = [
      .init(name: "mail", mount: "/vault/vmail", source: .luks(device: "/dev/sdb1", header: "/boot/mail.header")),
      .init(name: "plain", mount: "/srv/plain", source: .none),
    ]
    let saved = settings.savedPaths(several)
    #expect(saved.first { $0.path == "/vault/sieve" }?.vault == "vault")
    #expect(saved.first { $0.path == "/vault/vmail" }?.vault == "mail")
    #expect(saved.contains { $0.path == "/srv/plain" && $0.vault == nil })
    #expect(saved.suffix(2).map(\.path) == ["/vault_crypt/gocryptfs.conf", "/boot/mail.header"])
    #expect(saved.last?.what == "the vault mail's header")
    let report = SavedPathReport(
      save: saved, leaveOut: settings.unsavedPaths(several), vaults: several.vaults, open: ["vault", "plain"])
    let lines = report.lines().map(\.text)
    #expect(lines.first == "* is in the vault vault, /vault, which is open now")
    #expect(lines.contains("* is in the vault mail, /vault/vmail, which is locked now: what is in it cannot be saved"))
    #expect(lines.contains { $0.contains("Save its header, /boot/mail.header.") })
    let vaults = try #require(report.json()["vaults"]?.items)
    #expect(vaults.map { $0["name"]?.text } == ["vault", "mail", "plain"])
    #expect(vaults.map { $0["open"]?.flag } == [true, false, true])
    #expect(report.json()["vault"]?["mount"]?.text == "/vault")
    let spool = report.json()["save"]?.items?.first { $0["path"]?.text == "/vault/vmail" }
    #expect(spool?["vault"]?.text == "mail" && spool?["in_vault"]?.flag == true)
  }

  @Test func theReportSaysWhatIsInTheVault() throws {
    let report = SavedPathReport(
      save: settings.savedPaths(facts), leaveOut: settings.unsavedPaths(facts), vaults: facts.vaults, open: [],
      present: ["/var/lib/mailhost"], absent: ["/etc/mailboot/mailboot.toml"])
    let lines = report.lines().map(\.text)
    #expect(lines.first == "* is in the vault, /vault, which is locked now: what is in it cannot be saved")
    #expect(lines.contains("* /vault/vmail  mail"))
    #expect(lines.contains("  /etc/mailboot/mailboot.toml  settings (not there)"))
    let json = report.json()
    #expect(json["vault"]?["open"]?.flag == false && json["vault"]?["type"]?.text == "gocryptfs")
    func there(_ path: String) -> JSONText? { json["save"]?.items?.first { $0["path"]?.text == path }?["there"] }
    #expect(there("/var/lib/mailhost") == .bool(true))
    #expect(there("/etc/mailboot/mailboot.toml") == .bool(false))
    #expect(there("/vault/vmail") == .null)
    #expect(json["leave_out"]?.items?.first?["why"]?.text == "restored, it would be sent once more")
  }

  @Test func theVerbKnowsMoreThanTheSettings() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("mailhost.toml", neededSettings)
    try directory.write("host/vault_crypt/gocryptfs.conf", "{}")
    let call = try MailhostRun(["paths", "--config", file, "--root", directory.file("host"), "--format", "json"])
    #expect(call.status == 0 && call.complaint.isEmpty, "\(call.complaint)")
    let json = try #require(JSONText(parsing: Array(call.output.utf8)))
    #expect(json["vault"]?["type"]?.text == "gocryptfs" && json["vault"]?["open"]?.flag == false)
    #expect(json["save"]?.items?.contains { $0["path"]?.text == "/vault_crypt/gocryptfs.conf" } == true)
    try directory.write(
      "host/etc/mailboot/mailboot.toml",
      """
      [[vault]]
      name = "vault"
      type = "gocryptfs"

      [[vault]]
      name = "papers"
      type = "luks"
      device = "/dev/vdc"

      """)
    let several = try MailhostRun(["paths", "--config", file, "--root", directory.file("host"), "--format", "json"])
    let vaults = JSONText(parsing: Array(several.output.utf8))?["vaults"]?.items ?? []
    #expect(vaults.map { $0["mount"]?.text } == ["/vault", "/vault-papers"], "\(several.output)\(several.complaint)")
    #expect(vaults.last?["how"]?.text?.contains("luksHeaderBackup /dev/vdc") == true)
    let text = try MailhostRun(["paths", "--config", file, "--root", directory.file("host")])
    #expect(text.status == 0)
    #expect(text.lines.allSatisfy { $0.count < 80 || !$0.contains(" ") || $0.contains("`") }, "\(text.output)")
  }
}
