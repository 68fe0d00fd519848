import Cryptsetup
import Foundation
import MailbootCore
import SecretMemory
import TestSupport
import Testing

extension CryptsetupTests {
  /// Volumes of other makers, without device-mapper. Of VeraCrypt nothing can be seen without the kernel's ciphers: see `ForeignVaultTests`.
  @Suite struct ForeignVolumeTests {
    static let recovery = "000011-000022-000033-000044-000055-000066-000077-000088"

    /// One for all tests: its two keys take seconds to stretch.
    static let bitLocker = Result { try make() }

    private static func make() throws -> String {
      let path = NSTemporaryDirectory() + "bitlocker-" + UUID().uuidString
      try run("printf 'right one' | \(repositoryFile("Tests/containers/make-bitlocker").path) \(path) 16 \(recovery)")
      return path
    }

    @discardableResult
    private static func run(_ command: String) throws -> Int32 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", command]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return process.terminationStatus
    }

    private func kind(of passphrase: String, _ path: String) throws -> LUKSError.Kind? {
      do throws(LUKSError) {
        try ForeignVolume(device: path, .bitlocker).check(passphrase: try secretOrFail(passphrase))
        return nil
      } catch {
        return error.kind
      }
    }

    private func secretOrFail(_ text: String) throws(LUKSError) -> SecretBytes {
      do { return try secret(text) } catch { throw LUKSError(.other, "\(error)") }
    }

    @Test func bitLockerTakesItsPassphraseAndItsRecoveryPasswordAndNoOther() throws {
      let path = try Self.bitLocker.get()
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(try kind(of: "right one", path) == nil)
      #expect(try kind(of: Self.recovery, path) == nil)
      #expect(try kind(of: "wrong one", path) == .notAccepted)
      #expect(try kind(of: "000011-" + Self.recovery.dropFirst(7).dropLast(6) + "000099", path) == .notAccepted)
      #expect(try kind(of: "", path) == .notAccepted)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
      // Another reader agrees.
      #expect(try Self.run("printf 'right one' | cryptsetup open --type bitlk --test-passphrase \(path)") == 0)
      #expect(try Self.run("printf 'wrong one' | cryptsetup open --type bitlk --test-passphrase \(path)") != 0)
    }

    @Test func theWorkerSaysWhatAVolumeIsNot() throws {
      let path = try Self.bitLocker.get()
      let found: InspectReply = try WorkerProcess.ask(
        "inspect", InspectRequest(device: path, header: nil, type: .bitlocker))
      guard case .luks(let summary) = found else {
        Issue.record("\(found)")
        return
      }
      #expect(summary.version == 0 && UUID(uuidString: summary.uuid) != nil && !summary.hasTokens)
      let luks = try LUKSImage()
      let other: InspectReply = try WorkerProcess.ask(
        "inspect", InspectRequest(device: luks.path, header: nil, type: .bitlocker))
      #expect(other == .failed(VaultFailure(.otherFormat, "it is no BitLocker volume")))
      let small = luks.directory + "/small"
      try LUKSImage.makeFile(small, size: 100_000)
      let container: InspectReply = try WorkerProcess.ask(
        "inspect", InspectRequest(device: small, header: nil, type: .veracrypt))
      #expect(
        container == .failed(VaultFailure(.otherFormat, "\(small) is too small for a VeraCrypt container")))
    }

    @Test func aWrongPassphraseOverTheWorkerIsNotAccepted() throws {
      let path = try Self.bitLocker.get()
      let luks = try LUKSImage()
      let request = OpenRequest(
        device: path, header: nil, mapping: unusedName(), memoryLimitKiB: nil, type: .bitlocker)
      let wrong: OpenReply = try WorkerProcess.ask(
        "open", request, passphrase: passphraseFile("wrong", beside: luks))
      #expect(wrong.failureKind == .notAccepted)
    }
  }
}
