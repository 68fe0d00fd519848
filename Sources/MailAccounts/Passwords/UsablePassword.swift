import SecretMemory

/// Refuses what no mail client could send or no scheme could hash: nothing, more than 1024 octets, a NUL or another control
/// character (C0, C1, DEL), octets that are not UTF-8.
public func requireUsable(_ password: borrowing SecretBytes) throws(PasswordError) {
  try password.withUnsafeBytes { (bytes) throws(PasswordError) in
    guard !bytes.isEmpty else { throw .empty }
    guard bytes.count <= passwordLimit else { throw .tooLong(limit: passwordLimit) }
    guard !bytes.contains(0) else { throw .containsNUL }
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    while true {
      switch decoder.decode(&rest) {
      case .scalarValue(let scalar):
        guard scalar.properties.generalCategory != .control else { throw .containsControlCharacter }
      case .emptyInput: return
      case .error: throw .notUTF8
      }
    }
  }
}
