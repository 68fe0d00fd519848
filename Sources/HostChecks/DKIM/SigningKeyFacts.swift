/// What is known of a key that rspamd signs with, without its secret.
public struct SigningKeyFacts: Equatable, Sendable {
  /// `k=` of its record: `rsa` or `ed25519`. Empty: unknown.
  public var algorithm: String
  public var bits: Int
  /// The values that `p=` may have for it, base64; the first is the usual one.
  public var publicForms: [String]
  /// Why rspamd cannot sign with it; a clause that follows the file's name. Nil: it can.
  public var problem: String?

  public struct Failure: Error {
    public var text: String
  }

  /// Reads key files as the user who signs, in a process that has nothing of root.
  /// - Returns: one for each path, in order.
  /// - Throws: when no such process can be had.
  public static func reading(_ paths: [String], as user: String) throws(Failure) -> [SigningKeyFacts] {
    guard let account = UserAccount(named: user) else {
      throw Failure(text: "there is no user \(user) to read the DKIM keys: is rspamd installed?")
    }
    if paths.isEmpty { return [] }
    do throws(Problem) {
      let files = try DKIMKeyReader.read(
        paths.map { DKIMKeyPlace(domain: "", selector: "", path: $0) }, as: account)
      return files.map { SigningKeyFacts($0.key, user: user) }
    } catch {
      throw Failure(text: error.detail)
    }
  }

  /// Of a key that is in no file, such as one in a backup.
  public init(parsing bytes: [UInt8]) {
    self.init(bytes.withUnsafeBytes { DKIMKeyFacts(parsing: $0) }, user: "")
  }

  private init(_ facts: DKIMKeyFacts, user: String) {
    switch facts {
    case .usable(let algorithm, let bits, let forms):
      self.init(algorithm: algorithm, bits: bits, publicForms: forms, problem: nil)
    case .unusable(let reason): self.init(algorithm: "", bits: 0, publicForms: [], problem: reason)
    case .unreadable(let number):
      self.init(
        algorithm: "", bits: 0, publicForms: [], problem: "cannot be read by \(user): \(errorText(number))")
    }
  }

  private init(algorithm: String, bits: Int, publicForms: [String], problem: String?) {
    self.algorithm = algorithm
    self.bits = bits
    self.publicForms = publicForms
    self.problem = problem
  }
}
