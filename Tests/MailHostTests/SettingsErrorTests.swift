import Testing

/// Each error in `mailhost.toml`: where, which key, what is wrong, what was expected.
struct SettingsErrorTests {
  private static let domains = "domains such as [\"example.org\"]"
  private static let domain = "a domain such as \"example.org\""
  private static let network = "a network such as \"192.0.2.0/24\" or \"2001:db8::/48\""
  private static let policies =
    "one of noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl"
  private static let fileName = "a file name such as \"maildb.sqlite3\""
  private static let hash = "a hash such as \"{SHA512-CRYPT}$6$…\"; a password in the clear is not taken"

  private static let user =
    "an address, or { email = \"alice@example.org\", password_hash = \"{SHA512-CRYPT}$6$…\" }"
  private static let reference = "a parameter of [postfix.main] to refer to: \"$my_list\""

  /// A line of the file, the third one, and what is said about it.
  private static let bad: [(String, String)] = [
    ("mail_domains = \"example.org\"", "mail_domains is a string | \(domains)"),
    ("mail_domains = [3]", "mail_domains has an element that is an integer | \(domains)"),
    ("mail_domains = [\"\"]", "mail_domains has an element that is empty | \(domains)"),
    ("mail_domains = [\"example\"]", "mail_domains \"example\" is not valid | \(domain)"),
    ("mail_domains = [\"-a.org\"]", "mail_domains \"-a.org\" is not valid | \(domain)"),
    ("mail_users = \"alice@example.org\"", "mail_users is a string | an array"),
    (
      "mail_users = [3]",
      "mail_users[1] has an element that is an integer | \(user)"
    ),
    (
      "mail_users = [\"alice\"]",
      "mail_users[1] has an element that is a string | \(user)"
    ),
    ("mail_users = [{}]", "mail_users[1].email is missing | email = \"alice@example.org\""),
    (
      "mail_users = [{ email = \"a@b.org\", password = \"x\" }]",
      "mail_users[1].password is not a known key | one of email, password_hash"
    ),
    (
      "mail_users = [{ email = \"a@b.org\", password_hash = \"secret\" }]",
      "mail_users[1].password_hash \"secret\" is not valid | \(hash)"
    ),
    ("mail_aliases = [3]", "mail_aliases[1] is an integer | a table, [mail_aliases[1]]"),
    (
      "mail_aliases = [{ src = \"info\", dst = \"a@b.org\" }]",
      "mail_aliases[1].src \"info\" is not valid | an address, or \"@domain\" for the rest of a domain"
    ),
    (
      "mail_aliases = [{ src = \"@example\", dst = \"a@b.org\" }]",
      "mail_aliases[1].src \"@example\" is not valid | an address, or \"@domain\" for the rest of a domain"
    ),
    ("mail_aliases = [{ src = \"i@b.org\" }]", "mail_aliases[1].dst is missing | dst = \"alice@example.org\""),
    (
      "mail_local_admin_aliases = \"root\"",
      "mail_local_admin_aliases is a string | names such as [\"postmaster\"]"
    ),
    ("mail_certhost = \"mail\"", "mail_certhost \"mail\" is not valid | a host name"),
    (
      "friendly_networks = [\"192.0.2.0/33\"]", "friendly_networks \"192.0.2.0/33\" is not valid | \(network)"
    ),
    ("friendly_networks = [\"192.0.2\"]", "friendly_networks \"192.0.2\" is not valid | \(network)"),
    ("friendly_networks = [\"2001:xy::\"]", "friendly_networks \"2001:xy::\" is not valid | \(network)"),
    ("ipv4 = \"yes\"", "ipv4 is a string | true or false"),
    ("ipv6 = 1", "ipv6 is an integer | true or false"),
    ("vault = \"vault\"", "vault \"vault\" is not valid | an absolute path such as \"/vault\""),
    ("vault = \"/va ult\"", "vault \"/va ult\" is not valid | an absolute path such as \"/vault\""),
    ("vault_type = \"zfs\"", "vault_type \"zfs\" is not valid | \"luks\", \"gocryptfs\" or \"none\""),
    ("mail_db_name = \"a/b\"", "mail_db_name \"a/b\" is not valid | \(fileName)"),
    ("redis_dbfile = \"\"", "redis_dbfile \"\" is not valid | \(fileName)"),
    ("spam_filter = \"spamd\"", "spam_filter \"spamd\" is not valid | \"rspamd\", or \"\" for none"),
    ("spam_filter = true", "spam_filter is a boolean | \"rspamd\", or \"\" for none"),
    ("spam_per_user_bayes = \"no\"", "spam_per_user_bayes is a string | true or false"),
    ("dkim_selector = 202601", "dkim_selector is an integer | a label such as \"202601\", or \"\" for no signatures"),
    (
      "dkim_selector = \"a b\"",
      "dkim_selector \"a b\" is not valid | a label such as \"202601\", or \"\" for no signatures"
    ),
    ("dkim_selector_next = \"\"", "dkim_selector_next \"\" is not valid | a label such as \"202601\""),
    ("redis_maxmem = \"128\\nmb\"", "redis_maxmem \"128\nmb\" is not valid | a size such as \"128mb\""),
    ("redis_maxmem = 128", "redis_maxmem is an integer | a size such as \"128mb\""),
    ("redis_maxmen = \"lots\"", "redis_maxmen \"lots\" is not valid | a size such as \"128mb\""),
    ("dkim_ed25519 = 1", "dkim_ed25519 is an integer | true or false"),
    ("dkim_rotate_days = 0", "dkim_rotate_days 0 is out of range | an integer from 1 to 3650"),
    (
      "dns.publish = \"zone\"", "dns.publish \"zone\" is not valid | one of \"paste\", \"nsupdate\", \"program\""
    ),
    (
      "dns.publish = \"program\"",
      "dns.publish is \"program\", and none is named | program = \"/usr/local/sbin/publish-record\""
    ),
    (
      "dns.publish = \"cname\"",
      "dns.publish is \"cname\" for all domains | it in [dns.domain.NAME]: the names that it leads to need another way"
    ),
    (
      "dns.server = \"ns.example.org\"",
      "dns.server \"ns.example.org\" is not valid | an address such as \"192.0.2.53\""
    ),
    ("dns.resolvers = [\"9.9.9\"]", "dns.resolvers \"9.9.9\" is not valid | an address such as \"9.9.9.9\""),
    ("dns.cname_base = \"dkim\"", "dns.cname_base \"dkim\" is not valid | a name such as \"dkim.mail.example.org\""),
    (
      "dns.domain.\"club.example\".publish = \"cname\"",
      "dns.domain.club.example.publish is \"cname\", and there is no cname_base | cname_base = \"dkim.mail.example.org\""
    ),
    ("dns.domain.club.publish = \"paste\"", "dns.domain.club is no domain | a domain such as \"example.org\""),
    ("redis_maxmem_policy = \"lru\"", "redis_maxmem_policy \"lru\" is not valid | \(policies)"),
    ("message_size_limit = \"50M\"", "message_size_limit is a string | an integer from 100000 to 1073741824"),
    ("message_size_limit = 5", "message_size_limit 5 is out of range | an integer from 100000 to 1073741824"),
    ("quota = \"2\"", "quota \"2\" is not valid | a size such as \"2G\""),
    ("quota = \"0G\"", "quota \"0G\" is not valid | a size such as \"2G\""),
    ("managesieve = \"on\"", "managesieve is a string | true or false"),
    ("limits = 3", "limits is an integer | a table, [limits]"),
    (
      "limits.recipients_per_day = -1", "limits.recipients_per_day -1 is out of range | an integer from 0 to 1000000"
    ),
    ("limits.burst = 0", "limits.burst 0 is out of range | an integer from 1 to 1000000"),
    ("limits.bursts = 1", "limits.bursts is not a known key; did you mean \"burst\"?"),
    ("smarthost = \"smtp.example.net\"", "smarthost is a string | a table, [smarthost]"),
    ("smarthost.port = 587", "smarthost.host is missing | host = \"smtp.example.net\""),
    (
      "smarthost = { host = \"smtp\" }",
      "smarthost.host \"smtp\" is not valid | a host name such as \"smtp.example.net\""
    ),
    (
      "smarthost = { host = \"smtp.example.net\", port = 0 }",
      "smarthost.port 0 is out of range | an integer from 1 to 65535"
    ),
    (
      "smarthost = { host = \"smtp.example.net\", verify = 1 }",
      "smarthost.verify is an integer | true or false"
    ),
    ("web = \"/var/www\"", "web is a string | a table, [web]"),
    ("web.roots = \"/x\"", "web.roots is not a known key; did you mean \"root\"?"),
    (
      "web.mta_sts = \"strict\"", "web.mta_sts \"strict\" is not valid | one of \"testing\", \"enforce\", \"none\""
    ),
    (
      "web.mobileconfig_key = \"/x\"",
      "web.mobileconfig_key is set without mobileconfig_certificate | both of them, or none"
    ),
    (
      "web.mobileconfig_certificate = \"/x\"",
      "web.mobileconfig_certificate is set without mobileconfig_key | both of them, or none"
    ),
    ("manage.packages = \"no\"", "manage.packages is a string | true or false"),
    ("manage.services = 0", "manage.services is an integer | true or false"),
    ("manage.users = []", "manage.users is an array | true or false"),
    ("manage.firewall = false", "manage.firewall is not a known key | one of packages, services, users"),
    ("postfix = 3", "postfix is an integer | a table, [postfix]"),
    ("postfix.mian = {}", "postfix.mian is not a known key; did you mean \"main\"?"),
    ("postfix.main.a = 1.5", "postfix.main.a is a number with a fraction | a string, a number, true or false"),
    ("postfix.main.a = \"x\\ny\"", "postfix.main.a has more than one line | one line"),
    ("postfix.main.\"a b\" = \"x\"", "postfix.main.a b is no name of a parameter | letters, digits and _"),
    ("postfix.master.smtp = 3", "postfix.master.smtp is an integer | a table, [postfix.master.smtp]"),
    (
      "postfix.master.smtp.a = \"x y\"",
      "postfix.master.smtp.a has a space, which master.cf does not take | \(reference)"
    ),
    ("dovecot.include = \"/x\"", "dovecot.include is not a known key | one of extra"),
    ("dkim_selectro = \"x\"", "dkim_selectro is not a known key; did you mean \"dkim_selector\"?"),
    ("mail_ssl_crt = \"/x\"", "mail_ssl_crt is not a known key; did you mean \"mail_ssl_cert\"?"),
  ]

  /// Keys that are paths, with the example in the message.
  private static let paths: [(key: String, example: String)] = [
    ("mail_spool_root", "/vault/vmail"), ("mail_sieve_root", "/vault/sieve"), ("mail_dkim_root", "/vault/dkim"),
    ("mail_db_root", "/vault/maildb"), ("redis_dbdir", "/vault/redis"), ("mail_queue_dir", "/vault/postfix"),
    ("mail_ssl_cert", "/etc/letsencrypt/live/mail.example.org/fullchain.pem"),
    ("mail_ssl_certkey", "/etc/letsencrypt/live/mail.example.org/privkey.pem"),
    ("dovecot.extra", "/etc/dovecot/local.conf"), ("web.root", "/var/www/mailhost"),
  ]

  @Test(arguments: paths) func aBadPathIsNamed(_ key: String, _ example: String) throws {
    let expected = "an absolute path without spaces, such as \"\(example)\""
    for (value, problem) in [
      ("\"x\"", "\"x\" is not valid"), ("\"/x/../y\"", "\"/x/../y\" is not valid"),
      ("\"/x y\"", "\"/x y\" is not valid"),
      ("\"/x\\ny\"", "\"/x\ny\" is not valid"), ("3", "is an integer"), ("true", "is a boolean"),
    ] {
      #expect(
        try settingsIssues(["mailhost.toml": neededSettings + "\(key) = \(value)"]) == [
          "mailhost.toml:3:1 \(key) \(problem) | \(expected)"
        ])
    }
  }

  @Test(arguments: bad) func aBadLineIsNamed(_ line: String, _ message: String) throws {
    #expect(try settingsIssues(["mailhost.toml": neededSettings + line]) == ["mailhost.toml:3:1 \(message)"])
  }

  @Test func whatIsNeededIsMissed() throws {
    #expect(
      try settingsIssues(["mailhost.toml": "# nothing\n"]) == [
        "mailhost.toml:1:1 admin_email is missing | admin_email = \"alice@example.org\"",
        "mailhost.toml:1:1 mail_server_hostname is missing | mail_server_hostname = \"mail.example.org\"",
      ])
    #expect(
      try settingsIssues(["mailhost.toml": "mail_server_hostname = \"mail\"\n  admin_email = \"alice\"\n"]) == [
        "mailhost.toml:1:1 mail_server_hostname \"mail\" is not valid | a full host name such as \"mail.example.org\"",
        "mailhost.toml:2:3 admin_email \"alice\" is not valid | an address of this host such as \"alice@example.org\"",
      ])
  }

  @Test func contradictionsAreNamed() throws {
    #expect(
      try settingsIssues(["mailhost.toml": neededSettings + "ipv4 = false\nipv6 = false\n"]) == [
        "mailhost.toml:4:1 ipv6 is off as ipv4 is | one of them to be on"
      ])
    #expect(
      try settingsIssues(["mailhost.toml": neededSettings + "spam_filter = \"\"\ndkim_selector = \"x\"\n"]) == [
        "mailhost.toml:4:1 dkim_selector is set while spam_filter is \"\" | \"\": it is rspamd that signs"
      ])
  }

  @Test func allErrorsAreNamedAtOnceAndEachWithItsFile() throws {
    #expect(
      try settingsIssues([
        "mailhost.toml": neededSettings + "quota = 3\n\n\n  ipv4 = 1\n",
        "mailhost.toml.d/10-more.toml": "# more\nmanagesieve = 1\n",
      ]) == [
        "10-more.toml:2:1 managesieve is an integer | true or false",
        "mailhost.toml:3:1 quota is an integer | a size such as \"2G\"",
        "mailhost.toml:6:3 ipv4 is an integer | true or false",
      ])
  }

  @Test func whatIsNoTOMLIsNamedWithItsPlace() throws {
    let said = try settingsIssues(["mailhost.toml": neededSettings, "mailhost.toml.d/10.toml": "a = 1\nb = = 2\n"])
    #expect(said.count == 1)
    #expect(said.first?.hasPrefix("10.toml:2:") == true && said.first?.contains("is not valid TOML: ") == true)
  }
}
