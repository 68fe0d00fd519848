import Foundation
import MailHost
import MailbootConfiguration
import MailbootCore
import TestSupport
import Testing

/// The files of hosts of many kinds.
struct RenderingTests {
  @Test(arguments: HostVariant.all) func everyFileIsWholeText(_ host: HostVariant) throws {
    for file in try host.rendered() {
      #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file.file.path)")
      #expect(!file.text.contains("{{") && !file.text.contains("}}"), "\(file.file.path)")
      #expect(!file.text.contains("\n#?") && !file.text.hasPrefix("#?"), "\(file.file.path)")
      #expect(file.text.contains("Written by `mailhost apply`"), "\(file.file.path)")
      #expect(!file.text.split(separator: "\n").contains { $0.last == " " }, "\(file.file.path)")
    }
  }

  private func lines(_ text: String?) -> [Substring] {
    (text ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }
  }

  /// dovecot 2.4 takes `%d/%n` literally and puts all users' mail into one mailbox; doveconf says nothing.
  @Test(arguments: HostVariant.all) func eachDovecotGetsTheVariablesOfItsDialect(_ host: HostVariant) throws {
    let texts = try host.rendered().filter { $0.file.reader == .dovecot }.map(\.text)
    #expect(texts.count == (host.isDovecot24 ? 1 : 2))
    for line in texts.flatMap(lines) {
      if host.isDovecot24 {
        #expect(line.firstMatch(of: /%[a-zA-Z]/) == nil, "\(line)")
      } else {
        #expect(!line.contains("%{"), "\(line)")
      }
    }
  }

  @Test(arguments: HostVariant.all) func theDialectComesFirstOrNotAtAll(_ host: HostVariant) throws {
    let settings = lines(try host.text("dovecot.conf"))
    guard host.isDovecot24 else {
      #expect(!settings.contains { $0.hasPrefix("dovecot_config_version") })
      return
    }
    let expected = host.facts.versions.dovecot == ProgramVersion(2, 4, 0) ? "2.4.0" : "2.4.1"
    #expect(settings.first == "dovecot_config_version = \(expected)")
  }

  @Test(arguments: HostVariant.all) func bracesOfDovecotAndRspamdAreInPairs(_ host: HostVariant) throws {
    for file in try host.rendered() where [.dovecot, .rspamd].contains(file.file.syntax) {
      var depth = 0
      for line in lines(file.text) {
        if line.hasSuffix("{") { depth += 1 }
        if line.drop(while: { $0 == " " }).hasPrefix("}") { depth -= 1 }
        #expect(depth >= 0, "\(file.file.path): \(line)")
      }
      #expect(depth == 0, "\(file.file.path)")
    }
  }

  /// What mailboot reads of it is what the settings say.
  @Test(arguments: HostVariant.all) func mailbootReadsItsFile(_ host: HostVariant) throws {
    let directory = try TemporaryDirectory()
    // There is none where nothing differs from what mailboot takes for granted.
    let path = try directory.write("mailboot.toml", try host.text("00-mailhost.toml") ?? "")
    let read = try ConfigurationFiles(path: path).configuration
    #expect(read.verify.database == host.settings.database)
    #expect(read.vault.mount == host.settings.vault)
    #expect(read.vault.type?.rawValue == host.settings.vaultType)
    var names = ["dovecot", "postfix"]
    if host.settings.spamFilter { names = ["\(host.facts.versions.redisName)-server", "rspamd"] + names }
    #expect(read.services.map(\.name) == names)
    #expect((read.verify.severity(of: .dkim) == .off) == (host.settings.selector == nil))
  }

  @Test func newParametersAreForPostfixThatKnowsThem() throws {
    let (old, middle, new) = (
      try HostVariant.named("12"), try HostVariant.named("postfix 3.9"), try HostVariant.named("13"),
    )
    for (host, converts, hides) in [(old, false, false), (middle, true, false), (new, true, true)] {
      #expect(try host.text("main.cf")?.contains("force_mime_input_conversion") == converts, "\(host)")
      #expect(try host.text("master.cf")?.contains("smtpd_hide_client_session") == hides, "\(host)")
    }
  }

  /// Debian 12 takes hidden second messages otherwise.
  @Test(arguments: HostVariant.all) func smugglingIsClosedEverywhere(_ host: HostVariant) throws {
    let settings = lines(try host.text("main.cf"))
    #expect(settings.contains("smtpd_forbid_bare_newline = normalize"))
    #expect(settings.contains("smtpd_forbid_unauth_pipelining = yes"))
  }

  /// Debian 13's package writes it into main.cf at the upgrade, and comments out the other: both would look like edits.
  @Test(arguments: HostVariant.all) func thePackageFindsNothingToEdit(_ host: HostVariant) throws {
    let settings = lines(try host.text("main.cf"))
    #expect(settings.contains("cyrus_sasl_config_path = /etc/postfix/sasl"))
    #expect(!settings.contains { $0.hasPrefix("readme_directory") || $0.hasPrefix("html_directory") })
  }

  @Test(arguments: HostVariant.all) func masterTakesNoValueWithSpaces(_ host: HostVariant) throws {
    for line in lines(try host.text("master.cf")) where line.hasPrefix("  -o ") {
      #expect(!line.dropFirst(5).contains(" "), "\(line)")
    }
  }

  @Test func valkeyHasItsOwnNames() throws {
    let host = try HostVariant.named("valkey")
    let paths = try host.rendered().map(\.file.path)
    #expect(paths.contains("/etc/valkey/mailhost.conf"))
    #expect(paths.contains("/etc/systemd/system/valkey-server.service.d/mailhost.conf"))
    for file in try host.rendered() where file.file.reader == .redis || file.file.reader == .mailboot {
      #expect(!lines(file.text).contains { $0.contains("redis-server") || $0.contains("/etc/redis") }, "\(file.text)")
    }
  }

  @Test(arguments: ["12", "13"]) func withoutAFilterNothingNeedsOne(_ release: String) throws {
    let host = try HostVariant.named("\(release), no spam filter")
    for file in try host.rendered() {
      #expect(![.rspamd, .redis].contains(file.file.reader), "\(file.file.path)")
      for word in ["milter", "rspamd", "redis", "imapsieve", "sieve_pipe"] {
        #expect(!lines(file.text).contains { $0.contains(word) && !$0.contains("macro") }, "\(file.file.path): \(word)")
      }
    }
  }

  @Test(arguments: ["12", "13"]) func aSmarthostMustShowWhoItIs(_ release: String) throws {
    let text = lines(try HostVariant.named("\(release), smarthost").text("main.cf"))
    #expect(text.contains("relayhost = [smtp.example.net]:587"))
    #expect(text.last { $0.hasPrefix("smtp_tls_security_level") } == "smtp_tls_security_level = secure")
    #expect(text.contains("smtp_sasl_password_maps = texthash:/etc/mailboot/smarthost"))
    let careless = lines(try HostVariant.named("\(release), careless smarthost").text("main.cf"))
    #expect(careless.last { $0.hasPrefix("smtp_tls_security_level") } == "smtp_tls_security_level = encrypt")
    #expect(!careless.contains { $0.hasPrefix("smtp_sasl") })
  }

  @Test(arguments: ["12", "13"]) func onesOwnLinesComeLast(_ release: String) throws {
    let host = try HostVariant.named("\(release), lines of one's own")
    let main = try #require(try host.text("main.cf"))
    #expect(
      main.hasSuffix(
        "# smtpd_client_connection_rate_limit is your own, from /etc/mailboot/mailhost.toml:7.\n"
          + "smtpd_client_connection_rate_limit = 60\n"))
    let master = try #require(try host.text("master.cf"))
    #expect(master.hasSuffix("10026 inet n - y - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:9\n"))
    #expect(master.contains("  -o smtpd_client_connection_count_limit=20\n"))
    #expect(try #require(try host.text("dovecot.conf")).hasSuffix("!include /etc/dovecot/local.conf\n"))
  }

  @Test(arguments: ["12", "13"]) func anotherVaultIsMeantEverywhere(_ release: String) throws {
    let host = try HostVariant.named("\(release), another vault")
    #expect(try host.text("main.cf")?.contains("queue_directory") == false)
    #expect(
      try host.text("main.cf")?.contains("mynetworks = 127.0.0.1/32 [::1]/128 192.0.2.0/24 [2001:db8::]/48\n") == true)
    #expect(try host.text("dovecot.conf")?.contains("unix_listener /var/spool/postfix/private/auth {") == true)
  }

  @Test(arguments: ["12", "13"]) func eachUserMayHaveAQuotaOfItsOwn(_ release: String) throws {
    let plain = try HostVariant.named(release).rendered().flatMap { lines($0.text) }
    #expect(!plain.contains { $0.contains("quota") })
    let host = try HostVariant.named("\(release), quota")
    let texts = try host.rendered().filter { $0.file.reader == .dovecot }.map(\.text).joined()
    #expect(texts.contains(host.isDovecot24 ? "quota AS quota_storage_size" : "'*:bytes=' || quota AS quota_rule"))
    #expect(texts.contains(host.isDovecot24 ? "quota_storage_size = 2G" : "quota_rule = *:storage=2G"))
  }
}
