import Testing

@testable import MailHost

/// As the postinst of 3.7 leaves it for "Internet Site" on a host with ssl-cert.
private let main12 = """
  # See /usr/share/postfix/main.cf.dist for a commented, more complete version
  smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
  biff = no
  append_dot_mydomain = no
  readme_directory = no
  compatibility_level = 3.6
  smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
  smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key
  smtpd_tls_security_level=may
  smtp_tls_CApath=/etc/ssl/certs
  smtp_tls_security_level=may
  smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
  smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
  myhostname = host.example.net
  alias_maps = hash:/etc/aliases
  alias_database = hash:/etc/aliases
  myorigin = /etc/mailname
  mydestination = $myhostname, host.example.net, localhost.example.net, localhost
  relayhost =
  mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
  mailbox_size_limit = 0
  recipient_delimiter = +
  inet_interfaces = all
  inet_protocols = all
  """

/// As the postinst of 3.10 leaves it for "Satellite system".
private let main13 = """
  compatibility_level = 3.9
  myorigin = /etc/mailname
  smtpd_banner = $myhostname ESMTP $mail_name (Debian)
  inet_protocols = ipv4
  mynetworks_style = host
  mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
  mydestination = $myhostname, localhost
  mailbox_size_limit = 0
  mailbox_command =
  alias_maps = hash:/etc/aliases
  alias_database = hash:/etc/aliases
  biff = no
  recipient_delimiter = +
  relayhost = smtp.example.net
  cyrus_sasl_config_path = /etc/postfix/sasl
  smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
  myhostname = host.example.net
  inet_interfaces = loopback-only
  """

@Test(arguments: [main12, main13])
func aMainOfThePostinstIsStock(text: String) {
  #expect(StockFiles.isMain(text))
  #expect(StockFiles.isMain(MainCF.setting("mydestination", to: "example.com", in: text)))
  #expect(!StockFiles.isMain(MainCF.setting("mynetworks", to: "192.0.2.0/24", in: text)))
  #expect(!StockFiles.isMain(MainCF.setting("virtual_mailbox_domains", to: "example.com", in: text)))
  #expect(!StockFiles.isMain(text + "\nnonsense\n"))
}

@Test func anEmptyMainIsNotStock() {
  #expect(!StockFiles.isMain(""))
  #expect(!StockFiles.isMain("relayhost = smtp.example.net\n"))
}

/// What Debian 13's `master.cf.dist` has, less comments.
private let master13 = """
  smtp      inet  n       -       y       -       -       smtpd
  #submission inet n       -       y       -       -       smtpd
  pickup    unix  n       -       y       60      1       pickup
  cleanup   unix  n       -       y       -       0       cleanup
  qmgr      unix  n       -       n       300     1       qmgr
  tlsmgr    unix  -       -       y       1000?   1       tlsmgr
  rewrite   unix  -       -       y       -       -       trivial-rewrite
  bounce    unix  -       -       y       -       0       bounce
  defer     unix  -       -       y       -       0       bounce
  trace     unix  -       -       y       -       0       bounce
  verify    unix  -       -       y       -       1       verify
  flush     unix  n       -       y       1000?   0       flush
  proxymap  unix  -       -       n       -       -       proxymap
  proxywrite unix -       -       n       -       1       proxymap
  smtp      unix  -       -       y       -       -       smtp
  relay     unix  -       -       y       -       -       smtp
          -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
  #       -o smtp_helo_timeout=5 -o smtp_connect_timeout=5
  showq     unix  n       -       y       -       -       showq
  error     unix  -       -       y       -       -       error
  retry     unix  -       -       y       -       -       error
  discard   unix  -       -       y       -       -       discard
  local     unix  -       n       n       -       -       local
  virtual   unix  -       n       n       -       -       virtual
  lmtp      unix  -       -       y       -       -       lmtp
  anvil     unix  -       -       y       -       1       anvil
  scache    unix  -       -       y       -       1       scache
  postlog   unix-dgram n  -       n       -       1       postlogd

  """

@Test func aMasterOfThePackageIsStock() {
  let uucp = """
    uucp      unix  -       n       n       -       -       pipe
      flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
    """
  #expect(StockFiles.isMaster(master13))
  #expect(StockFiles.isMaster(master13 + uucp))
  #expect(!StockFiles.isMaster(master13 + "submission inet n - y - - smtpd\n"))
  #expect(
    !StockFiles.isMaster(master13.replacing("n       -       y       -       -       smtpd", with: "n - n - - smtpd")))
  #expect(!StockFiles.isMaster("smtp inet n - y - - smtpd\n"))
}

@Test(arguments: [
  ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
  (
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "57edf4a22be3c955ac49da2e2107b67a"
  ), (String(repeating: "a", count: 55), "ef1772b6dff9a122358552954ad0df65"),
  (String(repeating: "a", count: 56), "3b0c8ac703f828b04c6c197006d17218"),
])
func md5IsThatOfTheStandard(text: String, digest: String) {
  #expect(MD5.hexadecimal(Array(text.utf8)) == digest)
  #expect(StockFiles.contains(hostFile("/etc/dovecot/dovecot.conf", .dovecot), text: text, knownMD5: [digest]))
  #expect(!StockFiles.contains(hostFile("/etc/dovecot/dovecot.conf", .dovecot), text: text + " ", knownMD5: [digest]))
}
