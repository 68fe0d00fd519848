import CLinux
import COpenSSL
import Glibc
import HostChecks
import Linux

/// A signing key of the test's domain, as rspamd finds it: `DOMAIN.SELECTOR.key`, gone when nobody has it any more.
///
/// The keys of the real domains sign only what their users send, and the test is none of them.
final class TestKey {
  let key: OpaquePointer
  private let directory: String

  /// Makes a key of 2048 bits and puts it into the directory.
  init(in directory: String, selector: String, owner: String) throws(TestTrouble) {
    guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil) else { throw TestTrouble("no key: \(opensslErrors())") }
    defer { EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
      EVP_PKEY_keygen(context, &made) == 1, let made
    else { throw TestTrouble("no key: \(opensslErrors())") }
    key = made
    self.directory = directory
    try Self.write(Self.pem(made), "\(TestDomain.name).\(selector).key", in: directory, owner: owner)
  }

  deinit {
    EVP_PKEY_free(key)
    Self.removeAll(in: directory)
  }

  /// Removes every key of the test's domain.
  static func removeAll(in directory: String) {
    for name in listDirectory(directory) ?? [] where name.hasPrefix(TestDomain.name + ".") {
      unlink("\(directory)/\(name)")
    }
  }

  private static func pem(_ key: OpaquePointer) throws(TestTrouble) -> [UInt8] {
    guard let bio = BIO_new(BIO_s_mem()) else { throw TestTrouble("no key: \(opensslErrors())") }
    defer { BIO_free(bio) }
    guard PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else {
      throw TestTrouble("no key: \(opensslErrors())")
    }
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(bio))
    let count = bytes.withUnsafeMutableBytes { BIO_read(bio, $0.baseAddress, Int32($0.count)) }
    return Array(bytes.prefix(Int(max(0, count))))
  }

  /// The directory is the signing user's, who could have put a link there: nothing is followed, and what is written to is new.
  private static func write(_ bytes: [UInt8], _ name: String, in directory: String, owner: String) throws(TestTrouble) {
    guard let user = UserAccount(named: owner) else { throw TestTrouble("there is no user \(owner)") }
    let parent = mb_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
    guard parent >= 0 else { throw TestTrouble("\(directory): \(errnoText())") }
    defer { close(parent) }
    unlinkat(parent, name, 0)
    let descriptor = mb_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw TestTrouble("\(directory)/\(name): \(errnoText())") }
    defer { close(descriptor) }
    guard writeAll(bytes, to: descriptor), fchmod(descriptor, 0o640) == 0,
      fchown(descriptor, user.uid, user.gid) == 0
    else { throw TestTrouble("\(directory)/\(name): \(errnoText())") }
  }
}
