/// Whether a file is as Debian's package puts it there: what may be replaced without asking, for nobody has written it.
public enum StockFiles {
  /// - Parameter knownMD5: of the versions that packages have installed, as ucf and dpkg record them, in hexadecimal.
  public static func contains(_ file: HostFile, text: String, knownMD5: Set<String>) -> Bool {
    switch file.syntax {
    case .postfixMain: isMain(text)
    case .postfixMaster: isMaster(text)
    default: knownMD5.contains(MD5.hexadecimal(Array(text.utf8)))
    }
  }

  /// Whether postfix's postinst has made this main.cf, whatever debconf was answered for the names and the smarthost.
  static func isMain(_ text: String) -> Bool {
    let main = MainCF(text)
    return main.unreadable.isEmpty && main.values["compatibility_level"] != nil
      && main.values.allSatisfy { name, value in anyValue.contains(name) || values[name]?.contains(value) == true }
  }

  /// Whether it is the master.cf of a release, or has fewer of its services for other programs.
  static func isMaster(_ text: String) -> Bool {
    let services = MasterCF(text)
    guard services.unreadable.isEmpty else { return false }
    let needed = master[1].services.keys
    return needed.allSatisfy { services.services[$0] != nil }
      && services.services.values.allSatisfy(isService)
  }

  /// Whether a service is as one of the releases has it.
  static func isService(_ service: MasterCF.Service) -> Bool {
    master.contains { $0.services[service.key] == service }
  }

  /// What debconf asks for, or the postinst finds out.
  private static let anyValue: Set = ["myhostname", "mydomain", "mydestination", "relayhost"]

  /// What `main.cf.debian`, `main.cf.tls` and the postinst of 3.7 (Debian 12) and 3.10 (Debian 13) write.
  private static let values: [String: Set<String>] = [
    "alias_database": ["hash:/etc/aliases"],
    "alias_maps": ["hash:/etc/aliases", "hash:/etc/aliases, nis:mail.aliases", "$alias_database, nis:mail.aliases"],
    "append_dot_mydomain": ["no"],
    "biff": ["no"],
    "compatibility_level": ["3.6", "3.9"],
    "cyrus_sasl_config_path": ["/etc/postfix/sasl"],
    "default_transport": ["smtp", "error"],
    "html_directory": ["/usr/share/doc/postfix/html", "no"],
    "inet_interfaces": ["all", "loopback-only"],
    "inet_protocols": ["all", "ipv4", "ipv6"],
    "mailbox_command": ["", "procmail -a \"$EXTENSION\""],
    "mailbox_size_limit": ["0", "51200000"],
    "mynetworks": ["127.0.0.0/8", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"],
    "mynetworks_style": ["host"],
    "myorigin": ["/etc/mailname", "$myhostname"],
    "readme_directory": ["/usr/share/doc/postfix", "no"],
    "recipient_delimiter": ["", "+"],
    "relay_transport": ["smtp", "error"],
    "smtp_tls_CAfile": ["/etc/ssl/certs/ca-certificates.crt"],
    "smtp_tls_CApath": ["/etc/ssl/certs"],
    "smtp_tls_security_level": ["may"],
    "smtp_tls_session_cache_database": ["btree:${data_directory}/smtp_scache"],
    "smtpd_banner": ["$myhostname ESMTP $mail_name (Debian/GNU)", "$myhostname ESMTP $mail_name (Debian)"],
    "smtpd_relay_restrictions": ["permit_mynetworks permit_sasl_authenticated defer_unauth_destination"],
    "smtpd_tls_cert_file": ["/etc/ssl/certs/ssl-cert-snakeoil.pem"],
    "smtpd_tls_key_file": ["/etc/ssl/private/ssl-cert-snakeoil.key"],
    "smtpd_tls_security_level": ["may"],
  ]

  /// Of Debian 12, and of Debian 13.
  private static let master = [
    MasterCF(
      daemons + """
        relay     unix  -       -       y       -       -       smtp
          -o syslog_name=postfix/$service_name
        maildrop  unix  -       n       n       -       -       pipe
          flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
        uucp      unix  -       n       n       -       -       pipe
          flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
        ifmail    unix  -       n       n       -       -       pipe
          flags=F user=ftn argv=/usr/lib/ifmail/ifmail -r $nexthop ($recipient)
        bsmtp     unix  -       n       n       -       -       pipe
          flags=Fq. user=bsmtp argv=/usr/lib/bsmtp/bsmtp -t$nexthop -f$sender $recipient
        scalemail-backend unix -       n       n       -       2       pipe
          flags=R user=scalemail argv=/usr/lib/scalemail/bin/scalemail-store ${nexthop} ${user} ${extension}
        mailman   unix  -       n       n       -       -       pipe
          flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}
        """),
    MasterCF(
      daemons + """
        relay     unix  -       -       y       -       -       smtp
          -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
        """),
  ]

  private static let daemons = """
    smtp      inet  n       -       y       -       -       smtpd
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
}
