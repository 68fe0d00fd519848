import Glibc

/// The line a passphrase is typed into: what each byte from the terminal does to it.
struct PassphraseLine: ~Copyable {
  /// What a byte has done.
  enum Effect {
    case typing
    case submitted
    case endOfInput
    /// The byte did not fit any more.
    case full
  }

  /// The bytes that edit: the usual ones and those that the terminal has set.
  struct EditingBytes {
    private(set) var erase: Set<UInt8> = [0x08, 0x7F]
    private(set) var kill: Set<UInt8> = [0x15]
    private(set) var endOfFile: Set<UInt8> = [0x04]

    init() {}

    /// From a terminal's `c_cc`, where 0 means none.
    init(controls: UnsafeRawBufferPointer) {
      erase.formUnion([controls[Int(VERASE)]].filter { $0 != 0 })
      kill.formUnion([controls[Int(VKILL)]].filter { $0 != 0 })
      endOfFile.formUnion([controls[Int(VEOF)]].filter { $0 != 0 })
    }
  }

  private(set) var secret: SecretBytes
  private let editing: EditingBytes

  init(limit: Int, editing: EditingBytes) throws(SecretMemoryError) {
    // One byte more than the limit: each byte is read into the line itself before it is looked at.
    secret = try SecretBytes(capacity: limit + 1)
    self.editing = editing
  }

  /// Lets `body` write one byte straight into locked memory, and acts on it; nil when it wrote none.
  mutating func take<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) -> Effect? {
    let before = secret.count
    try secret.appendInPlace { (free) throws(E) -> Int in
      try body(UnsafeMutableRawBufferPointer(rebasing: free[..<1]))
    }
    guard secret.count > before else { return nil }
    return actOnLastByte()
  }

  /// Forgets what has been typed.
  mutating func clear() { secret.removeLast(secret.count) }

  /// Hands out what has been typed and ends the line.
  consuming func finish() -> SecretBytes { secret }

  private mutating func actOnLastByte() -> Effect {
    let byte = secret.withUnsafeBytes { $0[$0.count - 1] }
    switch byte {
    case 0x0A, 0x0D:
      secret.removeLast()
      return .submitted
    case _ where editing.erase.contains(byte):
      secret.removeLast()
      secret.removeLast(secret.withUnsafeBytes(Self.lengthOfLastCharacter))
    case _ where editing.kill.contains(byte):
      clear()
    case _ where editing.endOfFile.contains(byte):
      secret.removeLast()
      return secret.isEmpty ? .endOfInput : .submitted
    default:
      if secret.count == secret.capacity { return .full }
    }
    return .typing
  }

  /// Bytes of the last UTF-8 character; 1 for a byte that belongs to none, 0 when there are no bytes.
  private static func lengthOfLastCharacter(_ bytes: UnsafeRawBufferPointer) -> Int {
    for length in 2...4 where bytes.count >= length {
      let lead = bytes[bytes.count - length]
      let isContinued = bytes.suffix(length - 1).allSatisfy { $0 & 0xC0 == 0x80 }
      let promised = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
      if isContinued && promised == length { return length }
    }
    return min(1, bytes.count)
  }
}
