import SecretMemory

/// An age file before it is opened: what it takes to open it.
public struct SealedAgeFile {
  private var input: AgeInput
  private let header: AgeHeader

  /// - Parameter descriptor: to be read from, and open as long as the reader is used.
  public init(from descriptor: Int32) throws(AgeError) {
    input = AgeInput(descriptor)
    header = try AgeHeader(reading: &input)
  }

  /// Whether a passphrase opens it; else secret keys do.
  public var takesPassphrase: Bool { header.stanzas[0].arguments[0] == "scrypt" }

  public func opened(_ identities: borrowing AgeIdentities) throws(AgeError) -> AgeReader {
    try opened(with: try FileKeys.key(of: header, identities))
  }

  /// - Parameter memory: how many bytes its key may take.
  public func opened(passphrase: borrowing SecretBytes, memory: Int = .max) throws(AgeError) -> AgeReader {
    try opened(with: try FileKeys.key(of: header, passphrase: passphrase, memory: memory))
  }

  private func opened(with fileKey: consuming SecretBytes) throws(AgeError) -> AgeReader {
    let code = authenticationCode(try derivedKey(fileKey, salt: [], label: "header"), over: header.text)
    guard code == header.code else { throw .alteredHeader }
    var input = input
    let nonce = try input.take(16)
    guard nonce.count == 16 else { throw .cutShort }
    return try AgeReader(input, try Chunks.key(fileKey, nonce: nonce))
  }
}

/// Decrypts an age file piece by piece. Nothing is given out that was altered.
public struct AgeReader: ~Copyable {
  private var input: AgeInput
  private let key: SecretBytes
  private let sealing: Sealing
  private var chunks = Chunks()
  private var isFirst = true
  private var isAtEnd = false

  fileprivate init(_ input: AgeInput, _ key: consuming SecretBytes) throws(AgeError) {
    let sealing = try Sealing()
    self.input = input
    self.key = key
    self.sealing = sealing
  }

  /// The next piece, at most 64 KiB; empty at the end, which was seen to be the end.
  public mutating func next() throws(AgeError) -> [UInt8] {
    if isAtEnd { return [] }
    let sealed = try input.take(Chunks.sealedSize)
    guard sealed.count >= 16 else { throw .cutShort }
    let isLast = try input.peek(1).isEmpty
    var plain = [UInt8](repeating: 0, count: sealed.count - 16)
    let before = chunks
    if open(sealed, &plain, isLast: isLast) {
      isAtEnd = isLast
    } else {
      // What else it may be only says what to tell.
      chunks = before
      guard open(sealed, &plain, isLast: !isLast) else { throw .altered }
      throw isLast ? .cutShort : .trailing
    }
    if isLast, plain.isEmpty, !isFirst { throw .altered }
    isFirst = false
    return plain
  }

  private mutating func open(_ sealed: [UInt8], _ plain: inout [UInt8], isLast: Bool) -> Bool {
    let nonce = chunks.nonce(isLast: isLast)
    return plain.withUnsafeMutableBytes { space in
      withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { none in
        guard let target = space.baseAddress ?? none.baseAddress else { return false }
        return sealing.open(sealed, into: target, key: key, nonce: nonce)
      }
    }
  }
}
