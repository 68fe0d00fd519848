import MailHost
import MailbootCore
import Testing

/// What `mailhost.toml` may say.
struct SettingsTests {
  @Test func twoSettingsAreEnough() throws {
    let read = try hostSettings(["mailhost.toml": neededSettings])
    #expect(read == HostSettings(hostName: "mail.example.org", administrator: "alice@example.org"))
    #expect(read.certificate == "/etc/letsencrypt/live/mail.example.org/fullchain.pem")
  }

  @Test func everySettingIsTaken() throws {
    let read = try hostSettings([
      "mailhost.toml": """
      \(neededSettings)
      mail_domains = ["example.org", "example.net"]
      mail_users = ["alice@example.org", { email = "bob@example.net", password_hash = "$6$salt$hash" }]
      mail_aliases = [{ src = "info@example.org", dst = "alice@example.org" }, { src = "@example.net", dst = "bob@example.net" }]
      mail_local_admin_aliases = ["postmaster"]
      mail_ssl_cert = "/etc/ssl/mail.pem"
      mail_ssl_certkey = "/etc/ssl/mail.key"
      friendly_networks = ["192.0.2.1", "2001:db8::/48"]
      ipv6 = false
      vault_type = "none"
      mail_spool_root = "/srv/mail"
      mail_sieve_root = "/srv/sieve"
      mail_dkim_root = "/srv/dkim"
      mail_db_root = "/srv/db"
      mail_db_name = "accounts.db"
      redis_dbdir = "/srv/redis"
      redis_dbfile = "r.rdb"
      mail_queue_dir = "/var/spool/postfix"
      spam_per_user_bayes = true
      dkim_selector = "202601"
      dkim_selector_next = "202701"
      redis_maxmem = "1gb"
      redis_maxmem_policy = "noeviction"
      message_size_limit = 1000000
      quota = "500M"
      managesieve = false
      [limits]
      recipients_per_day = 0
      burst = 7
      [smarthost]
      host = "smtp.example.net"
      port = 465
      password_file = "/etc/mailboot/smarthost"
      verify = false
      [web]
      root = "/var/www/mailhost"
      mta_sts = "enforce"
      mobileconfig_certificate = "/etc/ssl/profile.pem"
      mobileconfig_key = "/etc/ssl/profile.key"
      [manage]
      packages = false
      services = false
      users = false
      [postfix.main]
      a_string = "x y"
      a_number = 3
      a_flag = true
      [postfix.master.submission]
      b = "$c"
      [dovecot]
      extra = "/etc/dovecot/local.conf"
      """
    ])
    var expected = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
    expected.domains = ["example.org", "example.net"]
    expected.users = [.init(email: "alice@example.org"), .init(email: "bob@example.net", passwordHash: "$6$salt$hash")]
    expected.aliases = [
      .init(source: "info@example.org", destination: "alice@example.org"),
      .init(source: "@example.net", destination: "bob@example.net"),
    ]
    expected.administratorAliases = ["postmaster"]
    (expected.certificate, expected.certificateKey) = ("/etc/ssl/mail.pem", "/etc/ssl/mail.key")
    expected.friendlyNetworks = ["192.0.2.1", "2001:db8::/48"]
    expected.ipv6 = false
    expected.vaultType = "none"
    (expected.spool, expected.sieve, expected.dkim) = ("/srv/mail", "/srv/sieve", "/srv/dkim")
    (expected.databaseDirectory, expected.databaseName) = ("/srv/db", "accounts.db")
    (expected.redisDirectory, expected.redisFile) = ("/srv/redis", "r.rdb")
    expected.queue = "/var/spool/postfix"
    expected.perUserBayes = true
    (expected.selector, expected.nextSelector) = ("202601", "202701")
    (expected.redisMemory, expected.redisPolicy) = ("1gb", "noeviction")
    (expected.messageSize, expected.quota, expected.managesieve) = (1_000_000, "500M", false)
    (expected.limits.recipientsPerDay, expected.limits.burst) = (0, 7)
    expected.smarthost = .init(host: "smtp.example.net", port: 465, passwordFile: "/etc/mailboot/smarthost")
    expected.smarthost?.verify = false
    (expected.web.root, expected.web.mtaSTS) = ("/var/www/mailhost", .enforce)
    (expected.web.profileCertificate, expected.web.profileKey) = ("/etc/ssl/profile.pem", "/etc/ssl/profile.key")
    (expected.manage.packages, expected.manage.services, expected.manage.users) = (false, false, false)
    // The place is looked at below: it has the name of a temporary directory.
    #expect(read.own.main.map { "\($0.name)=\($0.value)" } == ["a_string=x y", "a_number=3", "a_flag=yes"])
    #expect(read.own.main.map(\.origin.line) == [47, 48, 49])
    #expect(read.own.master.mapValues { $0.map { "\($0.name)=\($0.value)" } } == ["submission": ["b=$c"]])
    #expect(read.own.dovecot == "/etc/dovecot/local.conf")
    expected.own = read.own
    #expect(read == expected)
  }

  @Test func placesAreInTheVault() throws {
    let read = try hostSettings(["mailhost.toml": neededSettings + "vault = \"/srv/vault\"\n"])
    #expect(read.database == "/srv/vault/maildb/maildb.sqlite3")
    #expect(read.isInVault(read.queue) && read.isInVault(read.spool) && read.isInVault(read.redisDirectory))
    #expect(!read.isInVault("/srv/vaults"))
  }

  @Test func theCertificateIsThatOfItsOwnHostName() throws {
    let read = try hostSettings(["mailhost.toml": neededSettings + "mail_certhost = \"www.example.org\"\n"])
    #expect(read.certificateKey == "/etc/letsencrypt/live/www.example.org/privkey.pem")
  }

  /// The role's own mistake in its defaults, which hosts have in their variables.
  @Test func theMisspeltNamesAreKnown() throws {
    let read = try hostSettings([
      "mailhost.toml": neededSettings + "redis_maxmen = \"64mb\"\nredis_maxmen_policy = \"allkeys-lru\"\n"
    ])
    #expect(read.redisMemory == "64mb")
    #expect(read.redisPolicy == "allkeys-lru")
  }

  @Test func withoutAFilterNothingIsSigned() throws {
    let read = try hostSettings(["mailhost.toml": neededSettings + "spam_filter = \"\"\n"])
    #expect(read.selector == nil && !read.spamFilter)
    #expect(try hostSettings(["mailhost.toml": neededSettings + "dkim_selector = \"\"\n"]).selector == nil)
  }

  @Test func aDropInWins() throws {
    let read = try hostSettings([
      "mailhost.toml": neededSettings + "quota = \"1G\"\n[limits]\nburst = 5\nrecipients_per_day = 50\n",
      "mailhost.toml.d/20-second.toml": "quota = \"3G\"\n",
      "mailhost.toml.d/10-first.toml": "quota = \"2G\"\n[limits]\nburst = 6\n",
    ])
    #expect(read.quota == "3G")
    #expect(read.limits.burst == 6 && read.limits.recipientsPerDay == 50)
  }

  @Test func aLoginMayHaveLimitsOfItsOwn() throws {
    let read = try hostSettings([
      "mailhost.toml": neededSettings
        + "[limits]\nburst = 5\n[limits.user.\"News@example.org\"]\nnew_recipients_per_day = 0\nrecipients_per_day = 3000\n"
    ])
    let news = read.limits(of: "news@example.org")
    #expect(news.newRecipientsPerDay == 0 && news.recipientsPerDay == 3000 && news.burst == 5)
    #expect(read.limits(of: "alice@example.org") == read.limits && read.limits.newRecipientsPerDay == 200)
    let issues = try settingsIssues(["mailhost.toml": neededSettings + "[limits.user.news]\nburst = 5\n"])
    #expect(issues.count == 1 && issues[0].contains("is no address"), "\(issues)")
  }
}
