/// What `mailboot.toml` says, complete: every key that the files leave out has its default here.
public struct Configuration: Equatable, Sendable {
  /// The first vault, which the checks are about and which every service waits for.
  public var vault = Vault()
  /// The further ones, in the order in which they are opened: `[[vault]]`.
  public var otherVaults: [Vault] = []
  public var binds: [Bind] = []
  public var verify = Verify()
  public var services: [Service] = Service.standard
  public var unlock = Unlock()
  public var notify = Notify()
  public var monitoring = Monitoring()
  public var wait = Wait()
  public var accounts = Accounts()

  public init() {}

  /// `[vault]`, and each `[[vault]]`
  public struct Vault: Equatable, Sendable {
    /// Letters, digits and dashes; no two have the same.
    public var name = Self.standardName
    /// Nil: found out on the machine, see `VaultKinds.found`.
    public var type: VaultType?
    /// Of `luks`: path of a block device or regular file, or `UUID=`, `LABEL=`, `PARTUUID=`; nil: what crypttab names for the mapping,
    /// else the only LUKS device there is. Of `gocryptfs`: path of the encrypted directory; nil: `/vault_crypt`.
    public var device: String?
    /// Of what is mapped by device-mapper alone, as `filesystem`.
    public var mapping = "vault-blk"
    public var mount = "/vault"
    /// Mount options; used only without an fstab line for `mount`.
    public var options = ["nosuid"]
    public var filesystem = "ext4"
    /// Path of a detached header; of `luks` alone.
    public var header: String?
    /// Path of a file whose bytes open it, so that nobody need be asked; of a further vault alone. It may lie in the first one.
    public var keyFile: String?
    /// How often the key derivation is repeated, where it was not made with the usual number; of `veracrypt` alone.
    public var pim: Int?

    public init() {}

    /// A further one, with its own places.
    public init(further name: String) {
      self.name = name
      mapping = "vault-\(name)"
      mount = "/vault-\(name)"
    }

    /// The first one's, when nobody says otherwise.
    public static let standardName = "vault"

    /// What it is as long as nobody has looked.
    public var kind: VaultType { type ?? .luks }
    /// Nil: its kind has none.
    public var mappingName: String? { kind.isMapped ? mapping : nil }
    /// What it is kept on, as far as that is known without looking.
    public var shownDevice: String? { device ?? (kind == .gocryptfs ? Self.standardDirectory : nil) }
    /// Where the role that this project replaces keeps the encrypted directory.
    public static let standardDirectory = "/vault_crypt"
    /// The file in an encrypted directory of gocryptfs that has its key, encrypted.
    public static let gocryptfsFile = "gocryptfs.conf"
  }

  /// One `[[bind]]`: a directory of the vault that is also shown elsewhere.
  public struct Bind: Equatable, Sendable {
    public var from: String
    public var to: String

    public init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  /// `[verify]`
  public struct Verify: Equatable, Sendable {
    public var database = "/vault/maildb/maildb.sqlite3"
    /// Whether somebody has said that this is it: else it is looked at only where postfix or dovecot ask it.
    public var namesDatabase = false
    public var dkimDirectory = "/vault/dkim"
    public var dkimSelector = "202001"
    public var dkimUser = "_rspamd"
    /// Nil: what postconf says for `smtpd_tls_cert_file`, `smtpd_tls_key_file`, `myhostname`.
    public var certificate: String?
    public var certificateKey: String?
    public var hostName: String?
    /// Percent of the file system below which free space is a finding.
    public var freeSpacePercent = 15
    public var severity: [CheckName: Severity] = [:]

    public init() {}

    /// The configured severity of a check, else its default.
    public func severity(of check: CheckName) -> Severity {
      if let configured = severity[check] { return configured }
      switch check {
      case .certificateExpiry, .certificateNames, .freeSpace: return .warn
      case .mount, .database, .dkim, .certificate, .postfix, .dovecot, .rspamd, .maps: return .require
      }
    }

    /// Whether a mere warning of that check keeps the services down.
    public func isStrict(_ check: CheckName) -> Bool {
      let severity = severity(of: check)
      return severity == .strict || severity == .require && check.onlyWarns
    }
  }

  /// One `[[service]]`
  public struct Service: Equatable, Sendable {
    /// The unit's name, with or without `.service`.
    public var name: String
    /// Services that must be ready before this one is started.
    public var after: [String]
    /// Further vaults that must be mounted before this one is started, by name. All services wait for the first.
    public var vaults: [String]
    /// Nil: ready as soon as its units are active.
    public var probe: ProbeURL?
    /// `probe` as it was written.
    public var probeText: String?

    public init(
      name: String, after: [String] = [], vaults: [String] = [], probe: ProbeURL? = nil, probeText: String? = nil
    ) {
      self.name = name
      self.after = after
      self.vaults = vaults
      self.probe = probe
      self.probeText = probeText
    }

    /// The services of a host with no configuration file.
    public static let standard: [Service] = [
      Service(name: "redis-server", standardProbe: "redis://127.0.0.1:6379"),
      Service(name: "rspamd", after: ["redis-server"], standardProbe: "http://127.0.0.1:11333/ping"),
      Service(name: "dovecot", standardProbe: "imaps://127.0.0.1:993"),
      Service(name: "postfix", after: ["rspamd", "dovecot"], standardProbe: "smtp://127.0.0.1:25"),
    ]

    private init(name: String, after: [String] = [], standardProbe: String) {
      self.init(name: name, after: after, probe: try? ProbeURL(parsing: standardProbe), probeText: standardProbe)
    }

    /// Whether it is the spam filter, which signs as well.
    public var isRspamd: Bool { name == "rspamd" || name == "rspamd.service" }

    /// Whether this service accepts mail from the world, and so opens last: it speaks SMTP, or is postfix.
    public var isDoor: Bool {
      if let scheme = probe?.scheme, scheme == .smtp || scheme == .smtps { return true }
      return name == "postfix" || name == "postfix.service"
    }
  }

  /// `[unlock]`
  public struct Unlock: Equatable, Sendable {
    /// Tries at a terminal.
    public var attempts = 3
    public var onFailure = OnFailure.lock
    /// Seconds each service may take until it is ready.
    public var serviceTimeout = 90
    /// Seconds to wait for the vault's device to appear.
    public var deviceTimeout = 30
  }

  /// What to do when verification or a service fails.
  public enum OnFailure: String, CaseIterable, Sendable {
    /// Undo what this run did, back to locked.
    case lock
    /// Leave everything as it is.
    case leave
  }

  /// `[notify]`
  public struct Notify: Equatable, Sendable {
    /// Where the executables are that run on each change of the state.
    public var directory = "/etc/mailboot/notify.d"
    /// Seconds between reminders while locked; nil: none.
    public var remindEvery: Int? = 900
    /// Seconds that each executable may take.
    public var timeout = 30
  }

  /// `[monitoring]`
  public struct Monitoring: Equatable, Sendable {
    /// The file for node_exporter's textfile collector; nil: none is written.
    public var prometheusFile: String?
    /// Seconds between two rounds of probes while the vault is open.
    public var probeEvery = 60
  }

  /// `[wait]`: where the service takes a passphrase from, beside `mailboot` and the bus.
  public struct Wait: Equatable, Sendable {
    /// The device whose file system has the key file: a path, `UUID=`, `LABEL=` or `PARTUUID=`. Nil: `keyFile` is on this machine.
    public var keyDevice: String?
    /// Relative to the root of `keyDevice`, else an absolute path. Nil: no key file.
    public var keyFile: String?
    /// Whether a token in the LUKS2 header is tried.
    public var token = true
    /// Whether systemd's password agents are asked. Not by itself: while a question stands, every `systemctl` at a terminal starts an
    /// agent there, and one that nobody answers holds up the `systemctl` of an upgrade, too.
    public var ask = false
    /// Whether the service goes on from a vault that something else has opened: clevis, crypttab, a person. Nil: during the boot.
    public var complete: Bool?
  }
  /// `[accounts]`: what `mailcfg` gives new domains and users.
  public struct Accounts: Equatable, Sendable {
    /// How passwords are hashed, as dovecot names it.
    public var scheme = "ARGON2ID"
    /// Where each domain has the directory of its mail, and of its users' sieve scripts.
    public var spool = "/vault/vmail"
    public var sieve = "/vault/sieve"
    /// The user and group that those directories belong to, and the group that may read the database.
    public var owner = "vmail"

    public init() {}

    /// The schemes that `scheme` may name.
    public static let schemes = ["ARGON2ID", "BLF-CRYPT", "SHA512-CRYPT"]
  }
}

/// The main file of this host's own configuration.
public let mailbootSettingsPath = "/etc/mailboot/mailboot.toml"

/// What `mailhost` makes the host from; where it has not made the host there is none.
public let mailHostSettingsPath = "/etc/mailboot/mailhost.toml"
