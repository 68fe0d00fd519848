import CLinux
import Glibc
import JSON
import Linux
import MailbootCore

/// `gocryptfs.conf`, as far as it can be known to be sound without the passphrase.
struct GocryptfsConfiguration: Decodable, Equatable {
  struct Scrypt: Decodable, Equatable {
    var n: Int
    var r: Int
    var p: Int

    enum CodingKeys: String, CodingKey {
      case n = "N"
      case r = "R"
      case p = "P"
    }
  }

  var version: Int
  var encryptedKey: String
  var scrypt: Scrypt
  var featureFlags: [String]

  enum CodingKeys: String, CodingKey {
    case version = "Version"
    case encryptedKey = "EncryptedKey"
    case scrypt = "ScryptObject"
    case featureFlags = "FeatureFlags"
  }

  static let fileName = Configuration.Vault.gocryptfsFile

  /// What scrypt takes, KiB.
  var derivationMemoryKiB: Int { scrypt.n / 1024 * scrypt.r * 128 }

  /// Reads it out of an encrypted directory.
  init(in directory: String) throws(Failure) {
    let path = "\(directory)/\(Self.fileName)"
    // Whoever may write there could have put a link in its place, or a FIFO.
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0)
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT && access("\(directory)/gocryptfs.diriv", F_OK) != 0 {
        throw .vault(VaultFailure(.notGocryptfs, "there is no \(path)"), device: directory)
      }
      throw .vault(
        VaultFailure(.damagedConfiguration, code == ELOOP ? "it is a symbolic link" : errnoText(code)),
        device: directory)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw .vault(VaultFailure(.damagedConfiguration, "it is not a regular file"), device: directory)
    }
    guard let bytes = readToEnd(descriptor, limit: 1 << 20) else {
      throw .vault(VaultFailure(.damagedConfiguration, errnoText()), device: directory)
    }
    try self.init(parsing: bytes, directory: directory)
  }

  init(parsing bytes: [UInt8], directory: String) throws(Failure) {
    func damaged(_ why: String) -> Failure {
      .vault(VaultFailure(.damagedConfiguration, why), device: directory)
    }
    if bytes.isEmpty { throw damaged("it is empty") }
    guard let json = JSONText(parsing: bytes) else { throw damaged("it is not JSON") }
    do {
      self = try json.decoded(as: Self.self)
    } catch {
      throw damaged("it lacks what gocryptfs writes there")
    }
    guard version == 2 else { throw damaged("it has version \(version), not 2") }
    guard !encryptedKey.isEmpty, scrypt.n > 1, scrypt.r > 0, scrypt.p > 0 else {
      throw damaged("it has no usable key")
    }
    if featureFlags.contains("FIDO2") {
      throw .vault(VaultFailure(.other, "it opens with a FIDO2 token, not with a passphrase"), device: directory)
    }
  }
}
