import MailbootCore

/// The mail host that is looked at: what it promises to be.
public struct ProofSubject: Sendable {
  /// The name in the greeting and in the certificate.
  public var hostName: String
  /// PEM files; the leaf comes first.
  public var certificate: String
  public var certificateKey: String
  /// Where one user's mail is: `SPOOL/DOMAIN/USER`.
  public var spool: String
  public var database: String
  /// Where `DOMAIN.SELECTOR.key` is.
  public var dkim: String
  /// Nil: no mail is signed.
  public var selector: String?
  /// Postfix's queue, with dovecot's sockets in its `private`.
  public var queue: String
  /// The mount point that the queue must be in; nil: it is outside.
  public var vault: String?
  /// Whether rspamd judges and signs.
  public var spamFilter = true
  /// Whether each user has a statistic of its own.
  public var perUserBayes = false
  /// How many recipients an account may have at once; nil: no limit.
  public var burst: Int?
  /// Whether users may upload filters.
  public var managesieve = true
  /// The user that mail belongs to, and its group.
  public var mailUser = "vmail"
  /// The user that rspamd runs as.
  public var signer = "_rspamd"
  /// The user that postfix runs as.
  public var postfixUser = "postfix"
  /// Where the servers are asked: `127.0.0.1`, or `::1` on a host without IPv4.
  public var address = "127.0.0.1"
  /// An address of this machine that is no friend of postfix's or rspamd's, so that whoever comes from it is treated as the Internet is;
  /// nil: there is none.
  public var stranger: String? = "127.0.0.99"

  public init(
    hostName: String, certificate: String, certificateKey: String, spool: String, database: String, dkim: String,
    selector: String?, queue: String, vault: String?
  ) {
    self.hostName = hostName
    self.certificate = certificate
    self.certificateKey = certificateKey
    self.spool = spool
    self.database = database
    self.dkim = dkim
    self.selector = selector
    self.queue = queue
    self.vault = vault
  }

  /// A server of this host.
  func url(_ scheme: ProbeURL.Scheme, _ port: UInt16) -> ProbeURL {
    ProbeURL(scheme, host: address, port: port)
  }
}
