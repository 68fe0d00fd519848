import DNS

/// What is known of this host that its records depend on.
public struct RecordFacts: Equatable, Sendable {
  /// A key that mail is signed with, or will be.
  public struct Key: Equatable, Sendable {
    public var record: KeyRecord
    /// All forms of its public half.
    public var forms: [String]
    /// Where the record lies: the domain's own name for it, or the one that the domain's zone leads to.
    public var place: String
    public var signs: Bool

    public init(record: KeyRecord, forms: [String], place: String, signs: Bool) {
      self.record = record
      self.forms = forms
      self.place = place
      self.signs = signs
    }
  }

  /// The certificate that the host shows.
  public struct Certificate: Equatable, Sendable {
    /// DER, of all of it and of its public key.
    public var whole: [UInt8]
    public var publicKey: [UInt8]
    /// Who has signed it, as CAA records name them; nil: not one of those that are known here.
    public var issuer: String?
    /// Whether the next certificate will have the same key; nil: nobody says.
    public var keepsKey: Bool?

    public init(whole: [UInt8], publicKey: [UInt8], issuer: String?, keepsKey: Bool?) {
      self.whole = whole
      self.publicKey = publicKey
      self.issuer = issuer
      self.keepsKey = keepsKey
    }
  }

  /// Under which the world reaches this host, in order; none: they are not known, as behind a router.
  public var addresses: [IPAddress] = []
  /// Whether this host has an address of IPv4 that is of a private network alone: a router in front of it has the public one.
  public var isBehindRouter = false
  public var domains: [String] = []
  /// Whether these are those of the account database.
  public var domainsAreKnown = true
  /// Nil: they cannot be read.
  public var keys: [Key]? = []
  /// Why not.
  public var keysAreUnknown = "the keys that sign are in the vault, which is locked"
  public var certificate: Certificate?
  /// Whether the zone of the host's name is signed (DNSSEC); nil: nobody could be asked.
  public var isHostZoneSigned: Bool?

  public init() {}
}
