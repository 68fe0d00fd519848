/// What `mailboot` and `mailboot-worker` say to each other.
///
/// `mailboot-worker VERB` reads one JSON request from standard input up to its end and writes one JSON reply, one line, to
/// standard output. Exit status 0 means that a reply was written, whatever it says. The passphrase never is in the
/// request: it comes as exact bytes, up to end of file, on descriptor 3; a second one, where a verb wants two, on descriptor 4.
///
/// The worker exists so that libcryptsetup (not thread-safe, global log callback, up to 1 GiB for the key derivation),
/// OpenSSL and SQLite stay out of `mailboot` and of the daemon: their memory and their crashes end with the worker.
public enum WorkerVerb: String, CaseIterable, Sendable {
  /// `InspectRequest` → `InspectReply`: reads the LUKS header, needs no passphrase.
  case inspect
  /// `OpenRequest`, passphrase on descriptor 3 → `OpenReply`.
  case open
  /// `TestKeyRequest`, passphrase on descriptor 3 → `TestKeyReply`: which keyslot it opens; changes nothing.
  case testKey = "test-key"
  /// `FormatRequest`, passphrase on descriptor 3 → `FormatReply`; lines `DONE TOTAL` of bytes on standard error meanwhile.
  case format
  /// `MarkRequest` → `MarkReply`.
  case mark
  /// `KeyTableRequest` → `KeyTableReply`: all keyslots; with `measures` the time that each takes.
  case keyTable = "key-table"
  /// `KeyChangeRequest`, an existing passphrase on descriptor 3 and the new one on 4 → `KeyChangeReply`.
  case addKey = "add-key"
  /// The same; the existing one's keyslot goes.
  case changeKey = "change-key"
  /// The same; the new one is systemd's recovery key, and gets its token.
  case addRecoveryKey = "add-recovery-key"
  /// `RemoveKeyRequest` → `RemoveKeyReply`.
  case removeKey = "remove-key"
  /// `BackupHeaderRequest` → `HeaderReply`.
  case backUpHeader = "back-up-header"
  /// `CheckHeaderRequest` → `HeaderReply`.
  case checkHeader = "check-header"
  /// `RestoreHeaderRequest` → `HeaderReply`.
  case restoreHeader = "restore-header"
  /// `InspectRequest` → `FactsReply`: all that a header says, and each copy of it; changes nothing.
  case facts
  /// `VolumeRequest`, passphrase on descriptor 3 → `VolumeReply`: the mapping as large as its device.
  case resize
  /// `VolumeRequest`, passphrase on descriptor 3 → `VolumeReply`: whether discards are let through.
  case discards
  /// `VolumeRequest`, passphrase on descriptor 3 → `VolumeReply`, and `RekeyLine`s on standard error: a new volume key. SIGINT and
  /// SIGTERM, and the end of the parent, stop it at a safe point.
  case rekey
  /// `CloseRequest` → `CloseReply`.
  case close
  /// `RevokeRequest` → `RevokeReply`: takes the key out of the kernel, whoever uses the mapping.
  case revoke
  /// `DatabaseRequest` → `DatabaseReply`.
  case database
  /// `DKIMRequest` → `FindingsReply`. Run as root; drops to the DKIM user for reading.
  case dkim
  /// `CertificateRequest` → `FindingsReply`.
  case certificate
  /// `ProbeRequest` → `ProbeReply`.
  case probe
  /// `QueueRequest` → `QueueReply`: counts the mail that postfix has put off.
  case queue
}

/// Descriptors on which the worker reads the secrets that its verb wants.
public let workerPassphraseDescriptor: Int32 = 3
public let workerNewPassphraseDescriptor: Int32 = 4

extension WorkerVerb {
  /// How many secrets it is handed.
  public var secretCount: Int32 {
    switch self {
    case .open, .testKey, .format, .resize, .discards, .rekey: 1
    case .addKey, .changeKey, .addRecoveryKey: 2
    default: 0
    }
  }
}

/// Why a vault could not be inspected, opened or closed.
public struct VaultFailure: Codable, Error, Equatable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// The path does not exist or is neither block device nor regular file.
    case noDevice
    /// There is a device, but no LUKS header on it.
    case notLUKS
    /// There is a device, but nothing on it of the format that the configuration names.
    case otherFormat
    /// There is no such directory.
    case noDirectory
    /// There is a file or directory, but not one that gocryptfs has encrypted.
    case notGocryptfs
    /// The encrypted directory's `gocryptfs.conf` is missing, or gocryptfs cannot use it.
    case damagedConfiguration
    /// A LUKS header is there and damaged (bad checksum, both copies gone, unreadable metadata).
    case damagedHeader
    /// The mapping's name is in use for another device; `detail` names that device.
    case nameTaken
    /// The passphrase (or key) opens no keyslot. Also when an unbound keyslot makes libcryptsetup say ENOENT.
    case notAccepted
    /// Not enough memory for the key derivation; `detail` has needed and available amounts.
    case noMemory
    /// The program that opens this kind is not installed.
    case noProgram
    /// The kernel has no device-mapper or dm-crypt.
    case noDeviceMapper
    /// The device is in use (by another mapping, a mount) and cannot be opened or closed.
    case busy
    /// No token in the header opened it, or there is none; only when one was asked for.
    case noToken
    /// Something is on it that a new vault would destroy.
    case notEmpty
    case readOnly
    /// Too small for a vault, or its file system has not the room for one.
    case tooSmall
    /// Every keyslot is in use, or the header has no room for one more.
    case noKeyslot
    /// A change of the header was refused; what was there is there still.
    case notChanged
    /// A copy of the header could not be written: what was to come after it was not begun.
    case notSaved
    case other
  }
  public var kind: Kind
  /// One line: what the library or kernel said, with the numbers that matter.
  public var detail: String

  public init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }
}

public struct InspectRequest: Codable, Sendable {
  /// Resolved path of a block device or regular file.
  public var device: String
  /// Path of a detached header.
  public var header: String?
  /// One that device-mapper maps. Of VeraCrypt nothing can be seen without the passphrase.
  public var type: VaultType

  public init(device: String, header: String?, type: VaultType = .luks) {
    self.type = type
    self.device = device
    self.header = header
  }
}

public enum InspectReply: Codable, Equatable, Sendable {
  case luks(LUKSSummary)
  case failed(VaultFailure)
}

/// What a header says without any secret; one that is not of LUKS says but its UUID, and VeraCrypt's not even that.
public struct LUKSSummary: Codable, Equatable, Sendable {
  /// 1 or 2; 0: not of LUKS.
  public var version: Int
  /// Lower case, with dashes, as in the header.
  public var uuid: String
  /// LUKS2 only.
  public var label: String?
  /// LUKS2 only; see `VaultMark`.
  public var subsystem: String?
  /// Keyslots that a passphrase could open (bound to the volume).
  public var usableKeyslots: Int
  /// The amount of memory that the key derivation of the usable keyslot asks for that asks for least, KiB; 0 for PBKDF2. Which one the
  /// passphrase is for nobody knows before.
  public var derivationMemoryKiB: Int
  /// LUKS2 only: whether there is a token that could open it.
  public var hasTokens: Bool
  /// Of keyslots, digests and tokens: it changes with each change of a key. Empty: not known.
  public var fingerprint: String

  public init(
    version: Int, uuid: String, label: String?, usableKeyslots: Int, derivationMemoryKiB: Int, hasTokens: Bool = false,
    subsystem: String? = nil, fingerprint: String = ""
  ) {
    self.subsystem = subsystem
    self.hasTokens = hasTokens
    self.fingerprint = fingerprint
    self.version = version
    self.uuid = uuid
    self.label = label
    self.usableKeyslots = usableKeyslots
    self.derivationMemoryKiB = derivationMemoryKiB
  }
}

public struct OpenRequest: Codable, Sendable {
  /// Resolved path of a block device or regular file (libcryptsetup makes and frees its loop device).
  public var device: String
  public var header: String?
  /// Name below `/dev/mapper`.
  public var mapping: String
  /// Memory the key derivation may take, KiB; above it the open fails cleanly instead of being killed. Nil: no limit.
  public var memoryLimitKiB: Int?
  /// A token in the header is used instead of a passphrase.
  public var byToken: Bool
  /// As crypttab(5) names them, of those that the library knows.
  public var options: [String]
  public var type: VaultType
  /// Of VeraCrypt, where it is not the usual one.
  public var pim: Int?

  public init(
    device: String, header: String?, mapping: String, memoryLimitKiB: Int?, byToken: Bool = false,
    options: [String] = [], type: VaultType = .luks, pim: Int? = nil
  ) {
    self.type = type
    self.pim = pim
    self.byToken = byToken
    self.options = options
    self.device = device
    self.header = header
    self.mapping = mapping
    self.memoryLimitKiB = memoryLimitKiB
  }
}

public enum OpenReply: Codable, Equatable, Sendable {
  /// Opened now, with this keyslot.
  case opened(keyslot: Int)
  /// The mapping was there already and is on this device.
  case alreadyOpen
  case failed(VaultFailure)
}

public struct CloseRequest: Codable, Sendable {
  public var mapping: String

  public init(mapping: String) {
    self.mapping = mapping
  }
}

public enum CloseReply: Codable, Equatable, Sendable {
  case closed
  case alreadyClosed
  case failed(VaultFailure)
}

public struct RevokeRequest: Codable, Sendable {
  public var mapping: String

  public init(mapping: String) {
    self.mapping = mapping
  }
}

public enum RevokeReply: Codable, Equatable, Sendable {
  case revoked
  /// There is no such mapping.
  case notOpen
  case failed(VaultFailure)
}

public struct DatabaseRequest: Codable, Sendable {
  public var path: String
  /// User and group that must own the file; the group must exist.
  public var owner: String
  public var group: String
  /// Roll back a change that a crash interrupted, as SQLite does for whoever may write: postfix and dovecot may not, and would
  /// answer nothing. Else it is only reported.
  public var rollBackInterrupted: Bool

  public init(path: String, owner: String, group: String, rollBackInterrupted: Bool = false) {
    self.path = path
    self.owner = owner
    self.group = group
    self.rollBackInterrupted = rollBackInterrupted
  }
}

public struct DatabaseReply: Codable, Equatable, Sendable {
  public var finding: Finding
  /// Names in the table `domains`; empty when it could not be read.
  public var domains: [String]
  /// Some of each, to ask `postmap -q` for.
  public var users: [String]
  public var aliases: [String]

  public init(finding: Finding, domains: [String] = [], users: [String] = [], aliases: [String] = []) {
    self.finding = finding
    self.domains = domains
    self.users = users
    self.aliases = aliases
  }
}

public struct DKIMRequest: Codable, Sendable {
  /// Where keys are when rspamd does not say.
  public var directory: String
  /// The configured selector; a domain without a key for it may have one under another selector.
  public var selector: String
  /// Every domain that must have a key; nil: nobody knows them, and every key must be usable.
  public var domains: [String]?
  /// The user that must be able to read the keys.
  public var user: String
  /// What `rspamadm configdump -j dkim_signing` printed; nil: rspamd cannot be asked.
  public var signing: String?

  public init(directory: String, selector: String, domains: [String]?, user: String, signing: String? = nil) {
    self.directory = directory
    self.selector = selector
    self.domains = domains
    self.user = user
    self.signing = signing
  }
}

public struct CertificateRequest: Codable, Sendable {
  public struct Pair: Codable, Equatable, Sendable {
    public var certificate: String
    public var key: String

    public init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }
  public var pairs: [Pair]
  /// As postfix's `smtpd_tls_chain_files`.
  public var chainFiles: [String]
  /// The host name that each must cover; nil: not checked.
  public var hostName: String?
  /// Probe URLs of services that may show an older certificate; one that does not answer is left out.
  public var served: [String]

  public init(pairs: [Pair], chainFiles: [String] = [], hostName: String?, served: [String] = []) {
    self.pairs = pairs
    self.chainFiles = chainFiles
    self.hostName = hostName
    self.served = served
  }
}

public struct FindingsReply: Codable, Equatable, Sendable {
  public var findings: [Finding]

  public init(findings: [Finding]) {
    self.findings = findings
  }
}

public struct ProbeRequest: Codable, Sendable {
  /// `smtp://`, `imap://`, `imaps://`, `milter://`, `http://`, `redis://`, `lmtp://`, `tcp://HOST:PORT`, or `unix:///path` (any socket that accepts),
  /// `lmtp:///path` for a Unix socket.
  public var url: String
  /// Seconds until it must have answered; the probe is repeated until then.
  public var timeout: Double
  /// Seconds one attempt may take.
  public var attemptTimeout: Double

  public init(url: String, timeout: Double, attemptTimeout: Double) {
    self.url = url
    self.timeout = timeout
    self.attemptTimeout = attemptTimeout
  }
}

public enum ProbeReply: Codable, Equatable, Sendable {
  /// The protocol's greeting or answer, first line, printable, at most 200 characters.
  case answered(String)
  /// The last reason: "connection refused", "no greeting in 5 s", "answered: 421 …".
  case silent(String)
}

public struct QueueRequest: Codable, Sendable {
  /// Postfix's `main.cf`, which says where the queue is.
  public var mainFile: String
  /// No more mails than this are counted.
  public var most: Int
  /// Seconds in which mails are opened to see how old they are; after that they are only counted.
  public var patience: Double

  public init(mainFile: String = "/etc/postfix/main.cf", most: Int = 10_000, patience: Double = 10) {
    self.mainFile = mainFile
    self.most = most
    self.patience = patience
  }
}

public enum QueueReply: Codable, Equatable, Sendable {
  case counted(DeferredMail)
  /// There is no queue, or it cannot be read.
  case unknown
}
