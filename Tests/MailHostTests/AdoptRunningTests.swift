import MailbootCore
import Testing

@testable import MailHost

private let somewhere = Origin(file: "this host", line: 0, column: 0)

/// A host of Debian 12 with its mail in a vault.
private func host(_ change: (inout RunningHost) -> Void = { _ in }) -> RunningHost {
  var host = RunningHost()
  host.main = """
    biff = no
    compatibility_level = 3.6
    message_size_limit = 20480000
    milter_default_action = accept
    mydestination = $myhostname localhost.$mydomain, localhost
    readme_directory = no
    smtpd_forbid_unauth_pipelining = yes
    strict_rfc821_envelopes = yes

    """
  host.effective = """
    myhostname = mail.example.org
    queue_directory = /vault/postfix
    message_size_limit = 20480000
    mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 192.0.2.7, [2001:db8::]/48 hash:/etc/postfix/more
    inet_protocols = ipv4
    relayhost =
    smtpd_tls_cert_file = /etc/ssl/mail.pem
    smtpd_tls_key_file = /etc/ssl/mail.key
    smtpd_milters = inet:localhost:11332
    virtual_mailbox_maps = proxy:sqlite:/etc/postfix/boxes.cf
    smtp_sasl_auth_enable = no
    smtp_tls_security_level = may

    """
  host.defaults = "smtpd_forbid_bare_newline = no\nsmtpd_forbid_unauth_pipelining = no\nstrict_rfc821_envelopes = no\n"
  host.master = "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt"
  host.master += " -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n"
  host.master += "maildrop unix - n n - - pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}\n"
  host.master += "archive unix - n n - - pipe argv=/bin/x\n"
  host.dovecot = """
    # 2.3.19.1
    mail_location = maildir:/vault/vmail/%d/%n
    protocols = " imap lmtp sieve"
    namespace inbox {
      mailbox Junk {
        auto = subscribe
      }
    }
    plugin {
      quota_rule = *:storage=2G
      sieve = file:/vault/sieve/%d/%n/scripts;active=/vault/sieve/%d/%n/active.sieve
    }

    """
  host.texts = [
    ("/etc/aliases", "# all\npostmaster: root\nroot:   alice@example.org\n"),
    (
      "/etc/rspamd/local.d/dkim_signing.conf",
      "# keys\npath = \"/vault/dkim/$domain.$selector.key\";\nselector = \"202601\";\n"
    ),
    ("/etc/rspamd/local.d/classifier-bayes.conf", "per_user = true; # each\n"),
    ("/etc/redis/redis.conf", "maxmemory 0\ndir /var/lib/redis\n"),
    ("/etc/redis/mailhost.conf", "dir /vault/redis\nmaxmemory 256MB\nmaxmemory-policy volatile-lru\n"),
    ("/etc/postfix/boxes.cf", "dbpath = /vault/maildb/mail.db\nquery = SELECT 1 FROM users WHERE email='%s'\n"),
  ]
  change(&host)
  return host
}

private func dovecot24(_ host: inout RunningHost) {
  host.dovecot = """
    dovecot_config_version = 2.4.1
    mail_path = /vault/vmail/%{user | domain}/%{user | username}
    protocols {
      imap = yes
      sieve = yes
    }
    quota_storage_size = 2G
    sieve_script before {
      path = /elsewhere
    }
    sieve_script personal {
      path = /vault/sieve/%{user | domain}/%{user | username}/scripts
    }

    """
}

@Test(arguments: ["2.3", "2.4"])
func aRunningHostBecomesSettings(dialect: String) throws {
  let adoption = Adoption(running: host { if dialect == "2.4" { dovecot24(&$0) } })
  let settings = try adoption.settings(somewhere)
  #expect(settings.hostName == "mail.example.org" && settings.administrator == "alice@example.org")
  #expect(settings.queue == "/vault/postfix" && settings.messageSize == 20_480_000)
  #expect(settings.friendlyNetworks == ["192.0.2.7", "2001:db8::/48"] && settings.ipv4 && !settings.ipv6)
  #expect(settings.certificate == "/etc/ssl/mail.pem" && settings.certificateKey == "/etc/ssl/mail.key")
  #expect(settings.database == "/vault/maildb/mail.db" && settings.spool == "/vault/vmail")
  #expect(settings.sieve == "/vault/sieve" && settings.managesieve && settings.quota == "2G")
  #expect(settings.spamFilter && settings.selector == "202601" && settings.dkim == "/vault/dkim")
  #expect(settings.perUserBayes && settings.redisDirectory == "/vault/redis")
  #expect(settings.redisMemory == "256mb" && settings.redisPolicy == "volatile-lru")
  #expect(settings.vault == "/vault" && settings.vaultType == nil && settings.smarthost == nil)
  #expect(adoption.missing.isEmpty)
  #expect(adoption.ignored.map(\.source) == ["hash:/etc/postfix/more"])
}

@Test func aBareHostLeavesWhatItDoesNotSay() throws {
  let adoption = Adoption(
    running: host {
      $0.effective = "myhostname = localhost\nsmtpd_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem\n"
      $0.dovecot = "protocols = imap\nmail_location = mbox:~/mail\n"
      $0.texts = []
    })
  #expect(adoption.missing.map(\.name) == ["mail_server_hostname", "admin_email"])
  #expect(adoption.ignored.map(\.name) == ["smtpd_tls_cert_file", "virtual_mailbox_maps", "mail_location"])
  let settings = try adoption.completed.settings(somewhere)
  #expect(!settings.managesieve && !settings.spamFilter && settings.selector == nil)
}

@Test(arguments: [
  ("path = \"/k/$domain.key\";\nselector = \"a\";\n", nil, "dkim_signing.conf"), ("enabled = false;\n", nil, nil),
  ("path = \"/k/$domain.$selector.key\";\nselector = \"a\";\nenabled = true;\n", "a", nil as String?),
])
func keysAreTakenWhereTheyAreNamedAsOurs(text: String, selector: String?, ignored: String?) throws {
  let adoption = Adoption(
    running: host {
      $0.texts[1].text = text
      $0.effective += "mynetworks = 127.0.0.1\n"
    })
  #expect(try adoption.settings(somewhere).selector == selector)
  #expect(adoption.ignored.first?.name == ignored)
}

@Test func aSmarthostIsTakenWithItsPasswords() throws {
  let adoption = Adoption(
    running: host {
      $0.effective += "relayhost = [smtp.example.net]:465\nsmtp_sasl_auth_enable = yes\n"
      $0.effective += "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd\n"
    })
  let smarthost = try #require(try adoption.settings(somewhere).smarthost)
  #expect(smarthost.host == "smtp.example.net" && smarthost.port == 465 && !smarthost.verify)
  #expect(smarthost.passwordFile == "/etc/postfix/sasl_passwd")
  #expect(adoption.toml.hasSuffix("password_file = \"/etc/postfix/sasl_passwd\"\n"))
  #expect(adoption.toml.split(separator: "[smarthost]").count == 2)
}

/// The vault is one place for mail and accounts that is none of the system's, or something mounted there.
@Test(arguments: [
  ("/vault/vmail", "/vault/maildb", nil, "/vault"), ("/vault/vmail", "/var/lib/mail", nil, nil),
  ("/var/vmail", "/var/maildb", nil, nil), ("/srv/mail/vmail", "/srv/mail/db", nil, nil),
  ("/srv/mail/vmail", "/srv/mail/db", "/srv/mail", "/srv/mail"), ("/vmail", "/maildb", nil as String?, nil as String?),
])
func theVaultIsWhereMailAndAccountsLie(spool: String, accounts: String, mounted: String?, vault: String?) throws {
  let adoption = Adoption(
    running: host {
      $0.dovecot = "mail_location = maildir:\(spool)/%d/%n\n"
      $0.texts[5].text = "dbpath = \(accounts)/mail.db\n"
      if let mounted { $0.mountPoints = ["/", mounted] }
    })
  let settings = try adoption.settings(somewhere)
  #expect(settings.vaultType == (vault == nil ? "none" : nil))
  #expect(settings.vault == vault ?? "/vault")
}

@Test func whatWillChangeHasItsReason() throws {
  let differences = Differences(from: host(), to: try ourFiles { $0.messageSize = 20_480_000 })
  func named(_ name: String) -> Differences.Difference? { differences.main.first { $0.name == name } }
  #expect(
    named("milter_default_action")?.description
      == "milter_default_action: accept → tempfail\n  because: While it is down, mail is put off. With `accept` it would "
      + "pass unfiltered, and leave unsigned.")
  #expect(named("smtpd_forbid_bare_newline")?.old == nil && named("smtpd_forbid_bare_newline")?.new == "normalize")
  #expect(named("strict_rfc821_envelopes")?.new == nil)
  // The same, another word order of the same list, and what package scripts write are no differences.
  for name in ["biff", "message_size_limit", "smtpd_forbid_unauth_pipelining", "mydestination", "readme_directory"] {
    #expect(named(name) == nil, "\(name)")
  }
  let services = differences.master.map(\.description)
  let reason =
    "\n  because: From users' programs: with TLS from the first byte (465), which is to be preferred, and with STARTTLS (587)."
  #expect(services.contains("submissions inet: (not set) → inet n - y - - smtpd" + reason))
  #expect(services.contains("submission inet, -o smtpd_sasl_auth_enable: (not set) → yes" + reason))
  #expect(services.contains { $0.hasPrefix("archive unix: unix - n n - - pipe argv=/bin/x → (not set)\n") })
  for name in ["smtpd_tls_security_level", "smtpd_client_restrictions", "maildrop"] {
    #expect(!services.contains { $0.contains(name) }, "\(name)")
  }
}

@Test func whatSomebodySetIsKeptWhenAsked() throws {
  var adoption = Adoption(running: host())
  adoption.keep(Differences(from: host(), to: try ourFiles { $0.messageSize = 20_480_000 }))
  let own = try adoption.settings(somewhere).own.main
  #expect(own.map(\.name).sorted() == ["milter_default_action", "strict_rfc821_envelopes"])
  #expect(adoption.toml.contains("[postfix.main]\n# From main.cf as it was.\nmilter_default_action = \"accept\"\n"))
}
