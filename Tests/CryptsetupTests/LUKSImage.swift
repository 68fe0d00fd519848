import CCryptsetup
import Foundation
import SecretMemory
import Testing

/// All tests that call libcryptsetup: it is not thread-safe, so they run one after the other.
@Suite(.serialized) struct CryptsetupTests {}

/// A directory with a LUKS volume in a plain file, formatted by libcryptsetup itself with cheap key derivation.
final class LUKSImage {
  let directory: String
  /// The volume.
  let path: String
  /// Its header, when that is in a file of its own.
  let header: String?
  let uuid = UUID().uuidString.lowercased()

  enum Derivation {
    case pbkdf2
    case argon2id(memoryKiB: UInt32)
  }

  init(
    version: Int = 2, passphrases: [[UInt8]] = [Array("right".utf8)], unbound: [UInt8]? = nil,
    derivation: Derivation = .pbkdf2, cheap: [UInt8]? = nil, label: String? = nil, detached: Bool = false
  ) throws {
    directory = NSTemporaryDirectory() + "luks-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    path = directory + "/volume"
    header = detached ? directory + "/header" : nil
    try Self.makeFile(path, size: version == 1 ? 4 << 20 : 18 << 20)
    if let header { try Self.makeFile(header, size: 17 << 20) }
    try format(version, passphrases, unbound, derivation, label)
    if let cheap { try add(cheap, openedBy: passphrases[0]) }
  }

  /// Another keyslot, of the cheapest derivation.
  private func add(_ passphrase: [UInt8], openedBy other: [UInt8]) throws {
    var handle: OpaquePointer?
    try #require(crypt_init_data_device(&handle, header ?? path, path) == 0)
    let device = try #require(handle)
    defer { crypt_free(device) }
    try #require(crypt_load(device, nil, nil) == 0 && setDerivation(device, .pbkdf2) == 0)
    try #require(
      crypt_keyslot_add_by_passphrase(
        device, CRYPT_ANY_SLOT, other.chars, other.count, passphrase.chars, passphrase.count) >= 0)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: directory)
  }

  static func makeFile(_ path: String, size: UInt64) throws {
    try Data().write(to: URL(fileURLWithPath: path))
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: size)
    try file.close()
  }

  /// Writes over the volume or its header.
  func overwrite(_ file: String? = nil, at offset: UInt64, with bytes: [UInt8]) throws {
    let file = try #require(FileHandle(forWritingAtPath: file ?? path))
    try file.seek(toOffset: offset)
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }

  func truncate(to size: UInt64) throws {
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: size)
    try file.close()
  }

  /// Lets a key in the kernel's keyring open the first keyslot.
  func addToken(keyDescription: String) throws {
    var handle: OpaquePointer?
    try #require(crypt_init_data_device(&handle, header ?? path, path) == 0)
    let device = try #require(handle)
    defer { crypt_free(device) }
    try #require(crypt_load(device, nil, nil) == 0)
    let token = keyDescription.withCString { text in
      var parameters = crypt_token_params_luks2_keyring(key_description: text)
      return crypt_token_luks2_keyring_set(device, CRYPT_ANY_TOKEN, &parameters)
    }
    try #require(token >= 0)
    try #require(crypt_token_assign_keyslot(device, token, 0) == token)
  }

  /// The first bytes of the volume, enough for both copies of the header.
  func headerBytes() throws -> Data {
    let file = try #require(FileHandle(forReadingAtPath: path))
    return try file.read(upToCount: 64 << 10) ?? Data()
  }

  private func format(
    _ version: Int, _ passphrases: [[UInt8]], _ unbound: [UInt8]?, _ derivation: Derivation, _ label: String?
  ) throws {
    var handle: OpaquePointer?
    try #require(crypt_init_data_device(&handle, header ?? path, path) == 0)
    let device = try #require(handle)
    defer { crypt_free(device) }
    crypt_set_rng_type(device, CRYPT_RNG_URANDOM)
    try #require(setDerivation(device, derivation) == 0)
    let type = version == 1 ? CRYPT_LUKS1 : CRYPT_LUKS2
    try #require(crypt_format(device, type, "aes", "xts-plain64", uuid, nil, 64, nil) == 0)
    if let label { try #require(crypt_set_label(device, label, nil) == 0) }
    for passphrase in passphrases {
      try #require(
        crypt_keyslot_add_by_volume_key(device, CRYPT_ANY_SLOT, nil, 0, passphrase.chars, passphrase.count) >= 0)
    }
    if let unbound {
      let noSegment: UInt32 = 1  // CRYPT_VOLUME_KEY_NO_SEGMENT, a macro with a cast
      let key = [CChar](repeating: 7, count: 32)
      try #require(
        crypt_keyslot_add_by_key(
          device, CRYPT_ANY_SLOT, key, key.count, unbound.chars, unbound.count, noSegment) >= 0)
    }
  }

  private func setDerivation(_ device: OpaquePointer, _ derivation: Derivation) -> Int32 {
    "sha256".withCString { hash in
      switch derivation {
      case .pbkdf2:
        return "pbkdf2".withCString { type in
          var parameters = crypt_pbkdf_type()
          parameters.type = type
          parameters.hash = hash
          parameters.iterations = 1000
          parameters.flags = 2  // CRYPT_PBKDF_NO_BENCHMARK, a macro with a cast
          return crypt_set_pbkdf_type(device, &parameters)
        }
      case .argon2id(let memory):
        return "argon2id".withCString { type in
          var parameters = crypt_pbkdf_type()
          parameters.type = type
          parameters.hash = hash
          parameters.iterations = 4
          parameters.max_memory_kb = memory
          parameters.parallel_threads = 4
          parameters.flags = 2
          return crypt_set_pbkdf_type(device, &parameters)
        }
      }
    }
  }
}

extension [UInt8] {
  fileprivate var chars: [CChar] { map { CChar(bitPattern: $0) } }
}

/// A secret with these bytes, which are none.
func secret(_ bytes: [UInt8]) throws -> SecretBytes {
  var secret = try SecretBytes(capacity: max(1, bytes.count))
  for byte in bytes { try secret.append(byte) }
  return secret
}

func secret(_ text: String) throws -> SecretBytes { try secret(Array(text.utf8)) }
