import CCryptsetup
import Glibc
import JSON
import Linux
import SecretMemory

/// Changes of keyslots. Each leaves a way into the volume at every moment, also when it is cut off anywhere.
extension LUKSDevice {
  /// The volume's key, of a passphrase that opens it.
  public func volumeKey(_ passphrase: borrowing SecretBytes, keyslot: Int? = nil) throws(LUKSError) -> SecretBytes {
    var key = try emptyKey()
    _ = try unlock(&key, with: passphrase, keyslot: keyslot.map(Int32.init))
    return key
  }

  /// Which keyslot a passphrase opens; nil: none.
  public func opened(by passphrase: borrowing SecretBytes) throws(LUKSError) -> Int? {
    do {
      return try check(passphrase: passphrase)
    } catch  where error.kind == .notAccepted {
      return nil
    }
  }

  /// Adds a passphrase in a free keyslot, and opens it to see that it works.
  /// - Returns: the keyslot's number.
  public func add(
    _ passphrase: borrowing SecretBytes, volumeKey: borrowing SecretBytes, derivation: NewDerivation
  ) throws(LUKSError) -> Int {
    let slot = try freeKeyslot()
    try add(passphrase, volumeKey, derivation, slot)
    return Int(slot)
  }

  /// Adds systemd's recovery key: until its token is there, a cut leaves a keyslot that the next change clears away, for nobody has seen
  /// the key.
  public func addRecoveryKey(
    _ key: borrowing SecretBytes, volumeKey: borrowing SecretBytes, derivation: NewDerivation
  ) throws(LUKSError) -> Int {
    guard version == 2 else {
      throw LUKSError(.notChanged, "LUKS1 has no tokens, so nothing could tell a recovery key from a passphrase")
    }
    let slot = try freeKeyslot()
    let token = try mark(slot, derivation)
    try add(key, volumeKey, derivation, slot)
    let json = #"{"type":"systemd-recovery","keyslots":["\#(slot)"]}"#
    try require(crypt_token_json_set(handle, token, json), "the token of keyslot \(slot) was not written")
    return Int(slot)
  }

  /// Gives the new keyslot the place of the old one, which then goes.
  public func replace(keyslot old: Int, by new: Int) throws(LUKSError) {
    let (old, new) = (Int32(old), Int32(new))
    if version == 2 {
      let priority = crypt_keyslot_get_priority(handle, old)
      if priority != CRYPT_SLOT_PRIORITY_INVALID && priority != crypt_keyslot_get_priority(handle, new) {
        try require(crypt_keyslot_set_priority(handle, new, priority), "the priority of keyslot \(new)")
      }
    }
    try remove(keyslot: Int(old))
  }

  /// Removes a keyslot, and the tokens that can open no other.
  public func remove(keyslot: Int) throws(LUKSError) {
    let slot = Int32(keyslot)
    guard version == 2 else {
      return try require(crypt_keyslot_destroy(handle, slot), "keyslot \(slot) was not removed")
    }
    if !marks.contains(where: { $0.keyslot == slot && isAbout($0) }) { _ = try mark(slot) }
    try finishUnfinished(only: slot)
  }

  /// Finishes what a cut has left; but the last keyslot that holds the volume's key stays, whatever is said of it.
  /// - Returns: the keyslots that are free now.
  @discardableResult
  public func finishUnfinished() throws(LUKSError) -> [Int] {
    let left = Set(marks.map(\.keyslot)).sorted()
    let going = Set(marks.filter { isAbout($0) }.map(\.keyslot))
    guard going.isEmpty || !going.isSuperset(of: usableKeyslots) else { return [] }
    for slot in left { try finishUnfinished(only: slot) }
    return left.filter { crypt_keyslot_status(handle, $0) == CRYPT_SLOT_INACTIVE }.map(Int.init)
  }

  private func finishUnfinished(only slot: Int32) throws(LUKSError) {
    if marks.contains(where: { $0.keyslot == slot && isAbout($0) }) {
      for token in tokens(of: slot) where !others(than: slot, use: token.number) {
        try require(crypt_token_json_set(handle, token.number, nil), "token \(token.number) was not removed")
      }
      try require(crypt_keyslot_destroy(handle, slot), "keyslot \(slot) was not removed")
    }
    for mark in marks where mark.keyslot == slot {
      try require(crypt_token_json_set(handle, mark.token, nil), "token \(mark.token) was not removed")
    }
  }

  private func others(than slot: Int32, use token: Int32) -> Bool {
    (0..<Int32(keyslotCapacity)).contains { $0 != slot && crypt_token_is_assigned(handle, token, $0) == 0 }
  }

  /// - Parameter derivation: of the keyslot that is to be made; nil: what is there is to go.
  private func mark(_ slot: Int32, _ derivation: NewDerivation? = nil) throws(LUKSError) -> Int32 {
    var json: [(String, JSONText)] = [("type", .string("\(Self.markPrefix)\(slot)")), ("keyslots", .array([]))]
    switch derivation {
    case .iterations(let iterations)?: json.append(("iterations", .integer(Int64(iterations))))
    case .measured?: break
    case nil: json.append(("salt", .optional(salt(of: slot))))
    }
    let token = crypt_token_json_set(handle, CRYPT_ANY_TOKEN, JSONText.object(json).line())
    try require(token, "the header has no room for a token")
    return token
  }

  private func freeKeyslot() throws(LUKSError) -> Int32 {
    let free = (0..<Int32(keyslotCapacity)).first { crypt_keyslot_status(handle, $0) == CRYPT_SLOT_INACTIVE }
    guard let free else { throw LUKSError(.noKeyslot, "all \(keyslotCapacity) are in use") }
    return free
  }

  private func add(
    _ passphrase: borrowing SecretBytes, _ volumeKey: borrowing SecretBytes, _ derivation: NewDerivation, _ slot: Int32
  ) throws(LUKSError) {
    // What anybody opens is no vault, and nothing of ours would ever try it.
    if passphrase.isEmpty { throw LUKSError(.notChanged, "the new passphrase is empty") }
    try require(derivation.set(on: handle, version: version), "the key derivation")
    let result = volumeKey.withUnsafeBytes { key in
      passphrase.withUnsafeBytes { bytes in
        crypt_keyslot_add_by_volume_key(handle, slot, key.baseAddress, key.count, bytes.baseAddress, bytes.count)
      }
    }
    if result == -ENOMEM { throw LUKSError(.noMemory, log.take(orTextOf: ENOMEM)) }
    if result < 0 {
      let detail = log.take(orTextOf: -result)
      // EINVAL like anything else; the worker's messages are never translated.
      throw detail.contains("No space for new keyslot")
        ? LUKSError(.noKeyslot, "its header has no room for one more")
        : LUKSError(.notChanged, "no keyslot was added: \(detail)")
    }
    // Nobody is told of a key that has never opened anything.
    guard try opens(passphrase, keyslot: slot) else {
      throw LUKSError(.notChanged, "the new keyslot \(slot) does not open with its passphrase")
    }
  }

  private func opens(_ passphrase: borrowing SecretBytes, keyslot: Int32) throws(LUKSError) -> Bool {
    let result = passphrase.withUnsafeBytes {
      crypt_activate_by_passphrase(handle, nil, keyslot, $0.baseAddress, $0.count, 0)
    }
    return result == keyslot
  }

  func require(_ result: Int32, _ what: String) throws(LUKSError) {
    guard result < 0 else { return }
    throw LUKSError(.notChanged, "\(what): \(log.take(orTextOf: -result))")
  }
}
