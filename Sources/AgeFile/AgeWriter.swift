import Glibc
import Linux
import SecretMemory

/// Encrypts what is written to it, in the format of age(1), version 1 (age-encryption.org/v1).
public struct AgeWriter: ~Copyable {
  private let descriptor: Int32
  private let key: SecretBytes
  private let sealing: Sealing
  private var chunks: Chunks
  private var pending: [UInt8]

  /// For whoever has the secret key of one of these.
  public init(to descriptor: Int32, recipients: [AgeRecipient]) throws(AgeError) {
    let fileKey = try randomSecret(FileKeys.size)
    var stanzas: [AgeHeader.Stanza] = []
    for recipient in recipients { stanzas.append(try FileKeys.stanza(fileKey, for: recipient)) }
    try self.init(to: descriptor, fileKey, stanzas)
  }

  /// - Parameter workFactor: the key takes 2 to its power of KiB; at most 22.
  public init(to descriptor: Int32, passphrase: borrowing SecretBytes, workFactor: Int) throws(AgeError) {
    let fileKey = try randomSecret(FileKeys.size)
    try self.init(
      to: descriptor, fileKey, [try FileKeys.stanza(fileKey, passphrase: passphrase, workFactor: workFactor)])
  }

  private init(
    to descriptor: Int32, _ fileKey: borrowing SecretBytes, _ stanzas: [AgeHeader.Stanza]
  ) throws(AgeError) {
    let sealing = try Sealing()
    let header = AgeHeader(stanzas)
    let code = authenticationCode(try derivedKey(fileKey, salt: [], label: "header"), over: header.text)
    let nonce = try randomBytes(16)
    let key = try Chunks.key(fileKey, nonce: nonce)
    try Self.put(header.text + [0x20] + Base64.text(code) + [0x0a] + nonce, descriptor)
    self.descriptor = descriptor
    self.key = key
    self.sealing = sealing
    chunks = Chunks()
    pending = []
  }

  public mutating func write(_ bytes: [UInt8]) throws(AgeError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // A full chunk waits: only what follows says that it is not the last.
      if pending.count == Chunks.size { try seal(isLast: false) }
      let part = rest.prefix(Chunks.size - pending.count)
      pending += part
      rest = rest.dropFirst(part.count)
    }
  }

  /// Without it the file is one that was cut short.
  public mutating func finish() throws(AgeError) { try seal(isLast: true) }

  private mutating func seal(isLast: Bool) throws(AgeError) {
    let nonce = chunks.nonce(isLast: isLast)
    let sealed = try pending.withUnsafeBufferPointer { (bytes) throws(AgeError) in
      try sealing.seal(UnsafeRawBufferPointer(bytes), key: key, nonce: nonce)
    }
    pending.removeAll(keepingCapacity: true)
    try Self.put(sealed, descriptor)
  }

  private static func put(_ bytes: [UInt8], _ descriptor: Int32) throws(AgeError) {
    guard writeAll(bytes, to: descriptor) else { throw .output(SystemError(errnoText(), code: errno)) }
  }
}
