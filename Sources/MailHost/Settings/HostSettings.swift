import MailbootCore

/// What the administrator wants of the mail host: `/etc/mailboot/mailhost.toml` and its drop-ins.
///
/// Keys that the Ansible role of old had keep its names (`mail_server_hostname`, `dkim_selector` …).
public struct HostSettings: Equatable, Sendable {
  /// A user to be made if it is not there. Never changed, never removed: the database is the truth afterwards.
  public struct User: Equatable, Sendable {
    public var email: String
    /// With its scheme (`{SHA512-CRYPT}$6$…`, `$6$…`); nil: nobody can log in until `mailcfg passwd` was called.
    public var passwordHash: String?

    public init(email: String, passwordHash: String? = nil) {
      self.email = email
      self.passwordHash = passwordHash
    }
  }

  /// An alias to be made if it is not there.
  public struct Alias: Equatable, Sendable {
    public var source: String
    public var destination: String

    public init(source: String, destination: String) {
      self.source = source
      self.destination = destination
    }
  }

  /// A server that takes all outgoing mail.
  public struct Smarthost: Equatable, Sendable {
    public var host: String
    public var port = 587
    /// A file of one line, `[host]:port user:password`, readable by root only; nil: no login.
    public var passwordFile: String?
    /// Whether its certificate must be right, for the name that is given here.
    public var verify = true

    public init(host: String, port: Int = 587, passwordFile: String? = nil) {
      self.host = host
      self.port = port
      self.passwordFile = passwordFile
    }
  }

  /// How much one account may send. A stolen password is the commonest way for a host to lose its reputation.
  ///
  /// All of them count what was taken in the last 24 hours, for each login; 0: no limit.
  public struct Limits: Equatable, Sendable {
    public var messagesPerDay = 500
    public var recipientsPerDay = 1000
    /// Recipients at once: what is above it may go on at the pace of `recipientsPerDay`.
    public var burst = 100
    /// Recipients to whom the login has not sent in the last year.
    public var newRecipientsPerDay = 200

    public init() {}

    /// Whether anything has to be counted.
    public var isAny: Bool { messagesPerDay > 0 || recipientsPerDay > 0 || newRecipientsPerDay > 0 }
  }

  /// `[web]`: what a web server of the administrator's own serves, so that mail programs and senders find it.
  public struct Web: Equatable, Sendable {
    /// `root`: the directory that `mailhost web` writes into; nil: none.
    public var root: String?
    /// `mta_sts`: what senders are to do where TLS fails.
    public var mtaSTS = MTASTSPolicy.Mode.testing
    /// `mobileconfig_certificate`, `mobileconfig_key`: what signs profiles for Apple's programs, both or none.
    public var profileCertificate: String?
    public var profileKey: String?

    public init() {}
  }

  public struct Manage: Equatable, Sendable {
    /// Whether missing packages are installed.
    public var packages = true
    /// Whether units are enabled, reloaded and restarted.
    public var services = true
    /// Whether system users are made.
    public var users = true

    public init() {}
  }

  /// Lines of the administrator's own, which come last and win.
  public struct Own: Equatable, Sendable {
    /// One parameter of postfix, with its place in the settings.
    public struct Line: Equatable, Sendable {
      public var name: String
      public var value: String
      public var origin: Origin

      public init(name: String, value: String, origin: Origin) {
        self.name = name
        self.value = value
        self.origin = origin
      }
    }

    /// `[postfix.main]`.
    public var main: [Line] = []
    /// `[postfix.master.NAME]`: options of a service of ours (`submission`), or of one that has a `command` of its own.
    public var master: [String: [Line]] = [:]
    /// `[dovecot] extra`: a file that dovecot includes last.
    public var dovecot: String?

    public init() {}
  }

  /// `mail_server_hostname`: the name in the MX record, in the certificate and in the greeting.
  public var hostName: String
  /// `admin_email`: who gets the mail to root, postmaster and the like; an address of this host.
  public var administrator: String
  /// `mail_domains`, `mail_users`, `mail_aliases`.
  public var domains: [String] = []
  public var users: [User] = []
  public var aliases: [Alias] = []
  /// `mail_local_admin_aliases`: of each domain in `mail_domains`, to the administrator.
  public var administratorAliases = ["root", "postmaster", "webmaster", "security", "abuse"]

  /// `mail_ssl_cert`, `mail_ssl_certkey`; by default certbot's for `mail_certhost`.
  public var certificate: String
  public var certificateKey: String

  /// `friendly_networks`: may relay, and are never banned.
  public var friendlyNetworks: [String] = []
  public var ipv4 = true
  public var ipv6 = true

  /// `vault`: the mount point of the encrypted volume. The directories below are in it unless they are given.
  public var vault = "/vault"
  /// `vault_type`: for `mailboot`; nil: it looks for itself.
  public var vaultType: String?
  /// `mail_spool_root`, `mail_sieve_root`, `mail_dkim_root`, `mail_db_root`, `mail_db_name`, `redis_dbdir`.
  public var spool = "/vault/vmail"
  public var sieve = "/vault/sieve"
  public var dkim = "/vault/dkim"
  public var databaseDirectory = "/vault/maildb"
  public var databaseName = "maildb.sqlite3"
  public var redisDirectory = "/vault/redis"
  /// `redis_dbfile`.
  public var redisFile = "dump.rdb"
  /// `mail_queue_dir`: in the vault unless told otherwise, as it holds mail.
  public var queue = "/vault/postfix"

  /// `dkim_selector`; nil: no mail is signed.
  public var selector: String? = "202001"
  /// `dkim_selector_next`: its keys are made, and not used yet.
  public var nextSelector: String?

  /// `spam_filter`: rspamd, or none.
  public var spamFilter = true
  /// `spam_per_user_bayes`: a statistic for each user instead of one for all, which takes 200 learned mails each.
  public var perUserBayes = false
  /// `redis_maxmem`, `redis_maxmem_policy`.
  public var redisMemory = "128mb"
  public var redisPolicy = "volatile-ttl"
  public var limits = Limits()
  /// `[limits.user."ADDRESS"]`, by the address in small letters.
  public var userLimits: [String: Limits] = [:]

  /// `dkim_ed25519`: whether mail gets a second signature (RFC 8463).
  public var signsWithEd25519 = false
  /// `dkim_rotate_days`: how old a key becomes before `mailhost dkim rotate --due` replaces it.
  public var rotateDays = 365
  public var dns = NameService()

  /// `message_size_limit`, in bytes.
  public var messageSize = 51_200_000
  /// `quota`: of each user that has none of its own, as dovecot writes it (`2G`); nil: none.
  public var quota: String?
  /// `managesieve`: whether users may upload filters.
  public var managesieve = true
  public var smarthost: Smarthost?
  public var web = Web()
  public var manage = Manage()
  public var own = Own()

  public init(hostName: String, administrator: String) {
    self.hostName = hostName
    self.administrator = administrator
    certificate = "/etc/letsencrypt/live/\(hostName)/fullchain.pem"
    certificateKey = "/etc/letsencrypt/live/\(hostName)/privkey.pem"
  }

  public func limits(of user: String) -> Limits { userLimits[user] ?? limits }

  /// Whether anything is counted for anybody.
  public var countsSending: Bool { spamFilter && (limits.isAny || userLimits.values.contains { $0.isAny }) }

  public var database: String { "\(databaseDirectory)/\(databaseName)" }

  /// Whether a path is there only while the vault is open.
  public func isInVault(_ path: String) -> Bool { path == vault || path.hasPrefix(vault + "/") }
}
