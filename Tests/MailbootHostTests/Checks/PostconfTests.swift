import MailbootCore
import Testing

@testable import MailbootHost

struct PostconfTests {
  private let settings = PostfixSettings(
    parsing: """
      smtpd_tls_cert_file = /etc/letsencrypt/live/mail.example.org/fullchain.pem
      smtpd_tls_key_file =
      myhostname = mail.example.org
      queue_directory = /var/spool/postfix
      virtual_mailbox_domains = proxy:sqlite:/etc/postfix/domains.cf, hash:/etc/postfix/more
      virtual_mailbox_maps = proxy:proxy:sqlite:/etc/postfix/users.cf
      virtual_alias_maps = $virtual_maps proxy:unix:passwd.byname,inline:{a=b} sqlite:/etc/postfix/aliases.cf sqlite:/etc/postfix/aliases.cf
      smtpd_sender_login_maps = sqlite:/etc/postfix/a=b.cf
      """)

  @Test func valuesAreReadByName() {
    #expect(settings["myhostname"] == "mail.example.org")
    #expect(settings["smtpd_tls_cert_file"] == "/etc/letsencrypt/live/mail.example.org/fullchain.pem")
  }

  @Test func anEmptyValueIsNone() {
    #expect(settings["smtpd_tls_key_file"] == nil)
    #expect(settings["mydestination"] == nil)
  }

  @Test func anEqualsSignMayBeInTheValue() {
    #expect(settings["smtpd_sender_login_maps"] == "sqlite:/etc/postfix/a=b.cf")
  }

  @Test func tablesOfFilesAreFoundOnceInTheirOrderWithTheProxyTakenAway() {
    #expect(
      settings.chains.map { "\($0.parameter) \($0.tables.joined(separator: " "))" } == [
        "virtual_mailbox_domains sqlite:/etc/postfix/domains.cf hash:/etc/postfix/more",
        "virtual_mailbox_maps sqlite:/etc/postfix/users.cf", "virtual_alias_maps sqlite:/etc/postfix/aliases.cf",
        "smtpd_sender_login_maps sqlite:/etc/postfix/a=b.cf",
      ])
  }

  @Test(arguments: [
    ("pipemap:{sqlite:/a.cf, inline:{b=c d=e}} hash:/b", ["pipemap:{sqlite:/a.cf, inline:{b=c d=e}}", "hash:/b"]),
    ("proxy:unionmap:{sqlite:/a.cf,mysql:/b.cf},static:all", ["unionmap:{sqlite:/a.cf,mysql:/b.cf}"]),
    ("example.org, example.net /etc/postfix/names regexp:/c", ["regexp:/c"]),
    (
      "proxy:mysql:/m.cf\tpgsql:/p.cf ldap:/l.cf lmdb:/x texthash:/t",
      ["mysql:/m.cf", "pgsql:/p.cf", "ldap:/l.cf", "lmdb:/x", "texthash:/t"]
    ),
  ])
  func aListIsReadAsPostfixReadsIt(_ value: String, _ tables: [String]) {
    #expect(LookupChain(parameter: "virtual_alias_maps", value: value).tables == tables)
  }

  @Test func bothKindsOfCertificatesAreFoundAndOneFileWithTheKeyToo() {
    let settings = PostfixSettings(
      parsing: """
        smtpd_tls_cert_file = /rsa.pem
        smtpd_tls_key_file = /rsa.key
        smtpd_tls_eccert_file = /ec.pem
        smtpd_tls_eckey_file =
        smtpd_tls_chain_files = /k1.pem, /c1.pem /both.pem
        """)
    #expect(settings.certificates.map(\.certificate) == ["/rsa.pem", "/ec.pem"])
    #expect(settings.certificates.map(\.key) == ["/rsa.key", "/ec.pem"])
    #expect(settings.chainFiles == ["/k1.pem", "/c1.pem", "/both.pem"])
    #expect(PostfixSettings(parsing: "smtpd_tls_cert_file = none\n").certificates.isEmpty)
  }

  @Test func withNothingSetThereAreNoMaps() {
    #expect(PostfixSettings(parsing: "virtual_mailbox_maps =\nno line\n").chains.isEmpty)
  }

  @Test func everyParameterThatIsReadIsAskedFor() {
    for parameter in PostfixSettings.mapParameters + ["smtpd_tls_cert_file", "smtpd_tls_key_file", "myhostname"] {
      #expect(PostfixSettings.arguments.contains(parameter))
    }
  }
}
