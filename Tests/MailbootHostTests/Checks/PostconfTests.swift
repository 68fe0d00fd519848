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

  @Test func mapsOfFilesAreFoundOnceWithTheProxyTakenAway() {
    #expect(
      settings.maps.map { "\($0.parameter) \($0.table)" } == [
        "virtual_mailbox_domains sqlite:/etc/postfix/domains.cf", "virtual_mailbox_domains hash:/etc/postfix/more",
        "virtual_mailbox_maps sqlite:/etc/postfix/users.cf", "virtual_alias_maps sqlite:/etc/postfix/aliases.cf",
        "smtpd_sender_login_maps sqlite:/etc/postfix/a=b.cf",
      ])
  }

  @Test func withNothingSetThereAreNoMaps() {
    #expect(PostfixSettings(parsing: "virtual_mailbox_maps =\nno line\n").maps.isEmpty)
  }

  @Test func everyParameterThatIsReadIsAskedFor() {
    for parameter in PostfixSettings.mapParameters + ["smtpd_tls_cert_file", "smtpd_tls_key_file", "myhostname"] {
      #expect(PostfixSettings.arguments.contains(parameter))
    }
  }
}
