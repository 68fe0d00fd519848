import CCryptsetup

/// How a new keyslot's key is derived.
public enum NewDerivation: Sendable {
  /// Argon2id, or PBKDF2 in LUKS1: as much as it takes to need this long here, within these limits.
  case measured(memoryKiB: Int, milliseconds: Int, threads: Int)
  /// PBKDF2, not measured.
  case iterations(Int)

  /// Has keyslots that are added from now on be derived so.
  /// - Parameter version: 1 or 2, of the device.
  /// - Returns: 0, or a negative errno.
  func set(on device: OpaquePointer, version: Int) -> Int32 {
    var parameters = crypt_pbkdf_type()
    let isPBKDF2: Bool
    switch self {
    case .measured(let memory, let milliseconds, let threads):
      isPBKDF2 = version == 1
      parameters.time_ms = UInt32(milliseconds)
      parameters.max_memory_kb = isPBKDF2 ? 0 : UInt32(memory)
      parameters.parallel_threads = isPBKDF2 ? 0 : UInt32(threads)
    case .iterations(let iterations):
      isPBKDF2 = true
      parameters.iterations = UInt32(iterations)
      parameters.flags = Self.noBenchmark
    }
    return (isPBKDF2 ? "pbkdf2" : "argon2id").withCString { type in
      "sha256".withCString { hash in
        parameters.type = type
        parameters.hash = hash
        return crypt_set_pbkdf_type(device, &parameters)
      }
    }
  }

  /// The same for keys that cost as much as that of a keyslot.
  static func set(on device: OpaquePointer, like keyslot: Int32) -> Int32 {
    var parameters = crypt_pbkdf_type()
    let found = crypt_keyslot_get_pbkdf(device, keyslot, &parameters)
    guard found == 0 else { return found }
    parameters.flags |= noBenchmark
    return crypt_set_pbkdf_type(device, &parameters)
  }

  /// `CRYPT_PBKDF_NO_BENCHMARK`, a macro with a cast.
  private static let noBenchmark: UInt32 = 1 << 1
}
