/// What mail is signed with (RFC 6376, RFC 8463).
public enum KeyAlgorithm: String, CaseIterable, Sendable {
  /// Every receiver knows it.
  case rsa
  /// A second signature beside that of RSA.
  case ed25519
}

/// A key of a domain as its files say it is. What is in the DNS they do not know.
public struct SigningKeyFile: Equatable, Sendable {
  /// That a key is not to sign any more: the file `DOMAIN.SELECTOR.retiring`.
  public enum Mark: Equatable, Sendable {
    /// Another one is about to take over, or has: nobody has seen yet that the old one signs nothing.
    case begun
    /// It signed for the last time before this, in seconds since 1970.
    case since(Double)
  }

  public var selector: String
  public var algorithm: KeyAlgorithm
  /// The values that `p=` may have for it, base64; the first is the usual one. None: rspamd cannot sign with it.
  public var publicForms: [String]
  /// Why rspamd cannot sign with it; a clause that follows the file's name.
  public var problem: String?
  public var mark: Mark?
  /// When the file was made, in seconds since 1970.
  public var made: Double

  public init(
    selector: String, algorithm: KeyAlgorithm = .rsa, publicForms: [String], problem: String? = nil,
    mark: Mark? = nil, made: Double = 0
  ) {
    self.selector = selector
    self.algorithm = algorithm
    self.publicForms = publicForms
    self.problem = problem
    self.mark = mark
    self.made = made
  }

  public var isUsable: Bool { problem == nil && !publicForms.isEmpty }

  /// The name of a new key: the first that no file has, and that the DNS shows no key for. A key whose file was lost may have signed mail
  /// that is still on its way, and resolvers keep its record.
  /// - Parameter isShown: asks the DNS; for a few names only, as a zone may have a key for every name (`*._domainkey`).
  public static func newSelector(of names: [String], used: Set<String>, isShown: (String) -> Bool) -> String? {
    let free = names.filter { !used.contains($0) }
    return free.prefix(5).first { !isShown($0) } ?? free.first
  }
}

/// All keys of a domain, and which of them rspamd is told to sign with.
public struct DomainKeys: Equatable, Sendable {
  public var domain: String
  /// By selector.
  public var keys: [SigningKeyFile]
  /// Selectors in the order of the signatures. One may have no file: then nothing is signed with it.
  public var signing: [String]

  public init(domain: String, keys: [SigningKeyFile], signing: [String]) {
    self.domain = domain
    self.keys = keys
    self.signing = signing
  }

  public func key(_ selector: String) -> SigningKeyFile? { keys.first { $0.selector == selector } }

  public func signs(_ key: SigningKeyFile) -> Bool { signing.contains(key.selector) }

  /// Keys that sign, and can.
  public var working: [SigningKeyFile] { keys.filter { signs($0) && $0.isUsable } }

  /// Keys that wait for their time.
  public var waiting: [SigningKeyFile] { keys.filter { !signs($0) && $0.mark == nil && $0.isUsable } }

  /// Keys that have had it.
  public var retiring: [SigningKeyFile] { keys.filter { !signs($0) && $0.mark != nil } }

  /// The state of a key, by its files and by what is seen of its record.
  public func state(of key: SigningKeyFile, seen: RecordVisibility) -> KeyState {
    if signs(key) { return .active }
    if key.mark != nil { return seen.isNowhere ? .retired : .retiring }
    return seen.isEverywhere ? .published : .next
  }
}

/// Where a key is in its life.
public enum KeyState: String, Sendable {
  /// It is there; its record is not seen everywhere yet.
  case next
  /// Every server shows its record, so that it could sign.
  case published
  /// Mail is signed with it.
  case active
  /// It signs no more; mail that it has signed may still be on its way, so its record stays.
  case retiring
  /// Its record is gone: its file can go.
  case retired
}
