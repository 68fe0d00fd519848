import JSON
import MailbootCore
import Testing

@testable import MailbootConfiguration

/// What a good file means.
struct ConfigurationTests {
  static let complete = """
    [vault]
    device = "UUID=0d8f"
    mapping = "mail-blk"
    mount = "//srv//vault/"
    options = ["nosuid", "noatime"]
    filesystem = "btrfs"
    header = "/root/vault.header"

    [[bind]]
    from = "/srv/vault/www/"
    to = "/var/www/private"
    [[bind]]
    from = "/srv/vault/lists"
    to = "/var/lib/lists"

    [verify]
    database = "/srv/vault/db.sqlite3"
    dkim-directory = "/srv/vault/dkim"
    dkim-selector = "202611"
    dkim-user = "signer"
    certificate = "/etc/ssl/cert.pem"
    certificate-key = "/etc/ssl/key.pem"
    host-name = "mail.example.org"
    free-space-warning = "5%"
    [verify.severity]
    maps = "off"
    certificate-expiry = "require"

    [[service]]
    name = "exim4"
    after = ["opendkim.service"]
    probe = "smtp://[::1]:25"
    [[service]]
    name = "opendkim.service"

    [unlock]
    attempts = 5
    on-failure = "leave"
    service-timeout = 30
    device-timeout = 0

    [notify]
    directory = "/etc/notify"
    remind-every = "2h"
    timeout = 45

    [monitoring]
    prometheus-file = "/srv/metrics/mailboot.prom"
    probe-every = "5min"

    [wait]
    key-device = "LABEL=mailkey"
    key-file = "/keys//vault.key"
    token = false
    ask = true
    complete = false

    [accounts]
    scheme = "BLF-CRYPT"
    spool = "/srv/vault/mail"
    sieve = "/srv/vault/sieve"
    owner = "mail"
    """

  @Test func everyKeyIsTaken() throws {
    let read = try configuration(Self.complete)
    #expect(read.vault.device == "UUID=0d8f")
    #expect(read.vault.mapping == "mail-blk")
    #expect(read.vault.mount == "/srv/vault")
    #expect(read.vault.options == ["nosuid", "noatime"])
    #expect(read.vault.filesystem == "btrfs")
    #expect(read.vault.header == "/root/vault.header")
    #expect(
      read.binds == [
        .init(from: "/srv/vault/www", to: "/var/www/private"), .init(from: "/srv/vault/lists", to: "/var/lib/lists"),
      ])
    #expect(read.verify.database == "/srv/vault/db.sqlite3")
    #expect(read.verify.dkimDirectory == "/srv/vault/dkim")
    #expect(read.verify.dkimSelector == "202611")
    #expect(read.verify.dkimUser == "signer")
    #expect(read.verify.certificate == "/etc/ssl/cert.pem")
    #expect(read.verify.certificateKey == "/etc/ssl/key.pem")
    #expect(read.verify.hostName == "mail.example.org")
    #expect(read.verify.freeSpacePercent == 5)
    #expect(read.verify.severity == [.maps: .off, .certificateExpiry: .require])
    let probe = try ProbeURL(parsing: "smtp://[::1]:25")
    #expect(
      read.services == [
        .init(name: "exim4", after: ["opendkim.service"], probe: probe, probeText: "smtp://[::1]:25"),
        .init(name: "opendkim.service"),
      ])
    #expect(read.unlock.attempts == 5)
    #expect(read.unlock.onFailure == .leave)
    #expect(read.unlock.serviceTimeout == 30)
    #expect(read.unlock.deviceTimeout == 0)
    #expect(read.notify.directory == "/etc/notify")
    #expect(read.notify.remindEvery == 7200)
    #expect(read.notify.timeout == 45)
    #expect(read.monitoring.prometheusFile == "/srv/metrics/mailboot.prom")
    #expect(read.monitoring.probeEvery == 300)
    #expect(read.wait.keyDevice == "LABEL=mailkey" && read.wait.keyFile == "keys/vault.key")
    #expect(!read.wait.token && read.wait.ask && read.wait.complete == false)
    #expect(read.accounts.scheme == "BLF-CRYPT" && read.accounts.owner == "mail")
    #expect(read.accounts.spool == "/srv/vault/mail" && read.accounts.sieve == "/srv/vault/sieve")
  }

  @Test func whatIsShownAsTOMLAndAsJSONIsTheSame() throws {
    let read = try configuration(Self.complete)
    // The text names the severity of every check, also of those that the file leaves out.
    #expect(try configuration(read.text()).text() == read.text())
    let json = read.json()
    #expect(json["vault"]?["mount"]?.text == "/srv/vault")
    #expect(json["verify"]?["database"]?.text == "/srv/vault/db.sqlite3")
    #expect(json["accounts"]?["scheme"]?.text == "BLF-CRYPT" && json["accounts"]?["owner"]?.text == "mail")
    #expect(json["accounts"]?["spool"]?.text == "/srv/vault/mail")
    #expect(json["accounts"]?["sieve"]?.text == "/srv/vault/sieve")
    #expect(JSONText(parsing: Array(json.rendered().utf8)) == json)
  }

  @Test(arguments: [
    "", "\n# only a comment\n",
    "[vault]\n[verify]\n[verify.severity]\n[unlock]\n[notify]\n[monitoring]\n[wait]\n[accounts]\n",
  ])
  func whatIsLeftOutKeepsItsDefault(_ toml: String) throws {
    #expect(try configuration(toml) == Configuration())
  }

  @Test func theDefaultsAreThoseOfTheStandardHost() throws {
    let standard = Configuration()
    #expect(standard.vault.device == nil && standard.vault.header == nil)
    #expect(standard.vault.mapping == "vault-blk" && standard.vault.mount == "/vault")
    #expect(standard.vault.options == ["nosuid"] && standard.vault.filesystem == "ext4")
    #expect(standard.verify.database == "/vault/maildb/maildb.sqlite3" && standard.verify.freeSpacePercent == 15)
    #expect(standard.verify.dkimDirectory == "/vault/dkim" && standard.verify.dkimSelector == "202001")
    #expect(standard.verify.dkimUser == "_rspamd")
    #expect(standard.services.map(\.name) == ["redis-server", "rspamd", "dovecot", "postfix"])
    #expect(standard.services.map(\.after) == [[], ["redis-server"], [], ["rspamd", "dovecot"]])
    #expect(standard.services.allSatisfy { $0.probe != nil })
    #expect(standard.unlock.attempts == 3 && standard.unlock.onFailure == .lock)
    #expect(standard.unlock.serviceTimeout == 90)
    #expect(standard.notify.directory == "/etc/mailboot/notify.d" && standard.notify.remindEvery == 900)
    #expect(standard.notify.timeout == 30)
    #expect(standard.monitoring.prometheusFile == nil && standard.monitoring.probeEvery == 60)
    #expect(standard.wait.keyDevice == nil && standard.wait.keyFile == nil)
    #expect(standard.wait.token && !standard.wait.ask && standard.wait.complete == nil)
    #expect(standard.accounts.scheme == "ARGON2ID" && standard.accounts.owner == "vmail")
    #expect(standard.accounts.spool == "/vault/vmail" && standard.accounts.sieve == "/vault/sieve")
  }

  @Test(arguments: [
    ("90s", 90), ("15min", 900), ("2h", 7200), ("1d", 86400), ("450", 450), ("30 min", 1800), ("60sec", 60),
  ])
  func durationsHaveUnits(_ text: String, _ seconds: Int) throws {
    #expect(try configuration("[notify]\nremind-every = \"\(text)\"").notify.remindEvery == seconds)
  }

  @Test func aDurationMayBeAnIntegerOfSeconds() throws {
    #expect(try configuration("[notify]\nremind-every = 60").notify.remindEvery == 60)
    #expect(try configuration("[monitoring]\nprobe-every = 10").monitoring.probeEvery == 10)
  }

  @Test(arguments: ["0", "\"0\"", "\"0s\"", "\"off\""])
  func remindersCanBeTurnedOff(_ value: String) throws {
    let read = try configuration("[notify]\nremind-every = \(value)")
    #expect(read.notify.remindEvery == nil)
    #expect(try configuration(read.text()).notify.remindEvery == nil)
  }

  @Test func aKeyFileWithoutADeviceIsOnThisMachine() throws {
    let read = try configuration("[wait]\nkey-file = \"/etc/mailboot/vault.key\"")
    #expect(read.wait.keyDevice == nil && read.wait.keyFile == "/etc/mailboot/vault.key")
  }

  @Test func whatIsShownReadsBackAsTheSame() throws {
    #expect(try configuration(Configuration().text()) == explicit(Configuration()))
    let read = try configuration(Self.complete)
    #expect(try configuration(read.text()) == explicit(read))
  }

  @Test func valuesWithEveryCharacterReadBackAsTheSame() throws {
    var odd = Configuration()
    odd.vault.device = "/dev/a \"b\" \\ 'c' #d \t\n\u{1}\u{7f} ü🙂"
    odd.vault.options = ["x=\"1,2\"", "y=\\040"]
    odd.binds = [.init(from: "/vault/[a]", to: "/x = y")]
    odd.notify.remindEvery = 30 * 86400
    #expect(try configuration(odd.text()) == explicit(odd))
  }

  @Test func whatIsFoundOutLaterIsAComment() {
    let lines = Configuration().text().split(separator: "\n")
    #expect(lines.contains("# device: what crypttab names for the mapping, else the only LUKS device"))
    #expect(lines.contains("# certificate: postfix's smtpd_tls_cert_file"))
    #expect(lines.contains("# database: \"/vault/maildb/maildb.sqlite3\", where postfix or dovecot ask it"))
    #expect(lines.contains("# host-name: postfix's myhostname"))
  }

  /// The text has every severity written out.
  private func explicit(_ configuration: Configuration) -> Configuration {
    var explicit = configuration
    for check in CheckName.allCases { explicit.verify.severity[check] = configuration.verify.severity(of: check) }
    return explicit
  }
}
