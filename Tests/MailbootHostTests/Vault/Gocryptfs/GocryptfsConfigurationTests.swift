import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// What can be known of an encrypted directory without its passphrase.
struct GocryptfsConfigurationTests {
  static let sound = """
    {"Creator": "gocryptfs 2.3", "EncryptedKey": "oHVSXuhPzXav6wP7gZd8", "ScryptObject": {"Salt": "1T6x3ZDNMXP7", "N": 65536,
     "R": 8, "P": 1, "KeyLen": 32}, "Version": 2, "FeatureFlags": ["HKDF", "GCMIV128", "DirIV", "EMENames"]}
    """
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func failure() -> Failure? {
    do throws(Failure) {
      _ = try GocryptfsConfiguration(in: directory.path)
      return nil
    } catch {
      return error
    }
  }

  @Test func aSoundOneSaysHowMuchMemoryItTakes() throws {
    try directory.write("gocryptfs.conf", Self.sound)
    #expect(try GocryptfsConfiguration(in: directory.path).derivationMemoryKiB == 64 << 10)
  }

  @Test(arguments: [
    ("", "it is empty"), ("{", "it is not JSON"), ("[1]", "it lacks what gocryptfs writes there"),
    (sound.replacing("\"N\"", with: "\"M\""), "it lacks what gocryptfs writes there"),
    (sound.replacing("\"Version\": 2", with: "\"Version\": 3"), "it has version 3, not 2"),
    (sound.replacing("oHVSXuhPzXav6wP7gZd8", with: ""), "it has no usable key"),
    (sound.replacing("65536", with: "0"), "it has no usable key"),
  ])
  func aDamagedOneIsSaidToBe(_ text: String, _ why: String) throws {
    try directory.write("gocryptfs.conf", text)
    let failure = try #require(self.failure())
    #expect(failure.summary == "\(directory.path)/gocryptfs.conf cannot be used: \(why)")
    #expect(failure.exitCode.rawValue == 11)
  }

  @Test func aTokenInsteadOfAPassphraseIsSaid() throws {
    try directory.write("gocryptfs.conf", Self.sound.replacing("\"DirIV\"", with: "\"FIDO2\""))
    #expect(failure()?.summary.hasSuffix("it opens with a FIDO2 token, not with a passphrase") == true)
  }

  @Test func withoutOneItIsNoEncryptedDirectoryUnlessItOnceWas() throws {
    #expect(failure()?.summary.hasPrefix("\(directory.path) is not an encrypted directory of gocryptfs: ") == true)
    try directory.write("gocryptfs.diriv", "0123456789abcdef")
    #expect(
      failure()?.summary == "\(directory.path)/gocryptfs.conf cannot be used: No such file or directory")
    #expect(failure()?.exitCode.rawValue == 11)
  }

  /// Opened as root, and by whoever may write there made into something else.
  @Test func neitherALinkNorAFIFOIsRead() throws {
    try directory.write("elsewhere", Self.sound)
    let path = directory.file("gocryptfs.conf")
    symlink(directory.file("elsewhere"), path)
    #expect(failure()?.summary.hasSuffix("cannot be used: it is a symbolic link") == true)
    unlink(path)
    mkfifo(path, 0o644)
    #expect(failure()?.summary.hasSuffix("cannot be used: it is not a regular file") == true)
  }
}
