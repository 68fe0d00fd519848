import Cryptsetup
import Foundation
import SecretMemory
import Testing

extension CryptsetupTests {
  @Suite struct PassphraseTests {
    /// Bytes that a String or a C string would not carry unchanged.
    static let awkward = Array("pä\u{0308}ß €\n".utf8) + [0x00, 0xFF, 0x0D, 0x0A]

    @Test(arguments: [1, 2])
    func theExactBytesOpenTheVolume(_ version: Int) throws {
      let image = try LUKSImage(version: version, passphrases: [Array("other".utf8), Self.awkward])
      let device = try LUKSDevice(device: image.path)
      #expect(try device.check(passphrase: secret(Self.awkward)) == 1)
      #expect(try device.check(passphrase: secret("other")) == 0)
    }

    @Test(arguments: [1, 2])
    func anyOtherBytesAreNotAccepted(_ version: Int) throws {
      let image = try LUKSImage(version: version, passphrases: [Self.awkward])
      let device = try LUKSDevice(device: image.path)
      for wrong in [Array("wrong".utf8), Array(Self.awkward.dropLast()), Self.awkward + [0x0A], [0x00]] as [[UInt8]] {
        let error = try refusal(of: wrong, by: device)
        #expect(error == LUKSError(.notAccepted, "the passphrase opens no keyslot"))
      }
    }

    @Test func anEmptyPassphraseIsRefusedEvenWhereAKeyslotHasIt() throws {
      let image = try LUKSImage(passphrases: [[]])
      let device = try LUKSDevice(device: image.path)
      #expect(try refusal(of: [], by: device) == LUKSError(.notAccepted, "the passphrase is empty"))
    }

    @Test func anUnboundKeyslotChangesNothing() throws {
      let image = try LUKSImage(unbound: Array("unbound".utf8))
      let device = try LUKSDevice(device: image.path)
      #expect(try device.check(passphrase: secret("right")) == 0)
      #expect(try refusal(of: Array("wrong".utf8), by: device)?.kind == .notAccepted)
      #expect(try refusal(of: Array("unbound".utf8), by: device)?.kind == .notAccepted)
    }

    @Test func aVolumeWithoutKeyslotsSaysSo() throws {
      let image = try LUKSImage(passphrases: [])
      let device = try LUKSDevice(device: image.path)
      let error = try refusal(of: [1], by: device)
      #expect(error == LUKSError(.notAccepted, "no keyslot of \(image.path) holds the volume's key"))
    }

    @Test func nothingIsChangedForAWrongPassphrase() throws {
      let image = try LUKSImage()
      let device = try LUKSDevice(device: image.path)
      var changing = false
      var error: LUKSError?
      do throws(LUKSError) {
        _ = try device.activate(mapping: unusedName(), passphrase: try wrongSecret()) { changing = true }
      } catch let caught {
        error = caught
      }
      #expect(error?.kind == .notAccepted)
      #expect(!changing)
    }

    /// Where the kernel has device-mapper, opening is shown in the disposable machine.
    @Test(.enabled(if: !kernelHasDeviceMapper), arguments: [1, 2])
    func aKernelWithoutDeviceMapperIsNamed(_ version: Int) throws {
      let image = try LUKSImage(version: version)
      let device = try LUKSDevice(device: image.path)
      let right = try secret("right")
      var changing = false
      var error: LUKSError?
      do throws(LUKSError) {
        _ = try device.activate(mapping: unusedName(), passphrase: right) { changing = true }
      } catch let caught {
        error = caught
      }
      #expect(error?.kind == .noDeviceMapper)
      #expect(changing, "the passphrase was right, so the change had been announced")
    }

    /// As long as a token is waited for, nothing is changed, and the wait can be ended.
    @Test func aTokenThatDoesNotAnswerChangesNothing() throws {
      let image = try LUKSImage()
      try image.addToken(keyDescription: unusedName())
      let device = try LUKSDevice(device: image.path)
      var changing = false
      var error: LUKSError?
      do throws(LUKSError) {
        _ = try device.activateByToken(mapping: unusedName()) { changing = true }
      } catch let caught {
        error = caught
      }
      #expect(error?.kind == .noToken)
      #expect(!changing)
    }

    @Test(.enabled(if: !kernelHasDeviceMapper))
    func aTokensKeyIsRightBeforeAnythingIsChanged() throws {
      let image = try LUKSImage()
      let description = unusedName()
      try image.addToken(keyDescription: description)
      try #require(addToProcessKeyring(description, "right") > 0)
      let device = try LUKSDevice(device: image.path)
      var changing = false
      var error: LUKSError?
      do throws(LUKSError) {
        _ = try device.activateByToken(mapping: unusedName()) { changing = true }
      } catch let caught {
        error = caught
      }
      #expect(error?.kind == .noDeviceMapper)
      #expect(changing)
    }

    @Test func closingWhatIsNotOpenIsNoChange() throws {
      #expect(try LUKSDevice.deactivate(mapping: unusedName()) == .alreadyClosed)
    }
  }
}

private let kernelHasDeviceMapper = FileManager.default.fileExists(atPath: "/sys/class/misc/device-mapper")

func unusedName() -> String { "mailboot-test-" + UUID().uuidString.prefix(8) }

private func wrongSecret() throws(LUKSError) -> SecretBytes {
  do { return try secret("wrong") } catch { throw LUKSError(.other, "\(error)") }
}

/// How `device` refuses the passphrase; nil when it accepts it.
private func refusal(of bytes: [UInt8], by device: borrowing LUKSDevice) throws -> LUKSError? {
  let given = try secret(bytes)
  do throws(LUKSError) {
    _ = try device.check(passphrase: given)
    return nil
  } catch {
    return error
  }
}

/// add_key(2), which libc does not have.
private func addToProcessKeyring(_ description: String, _ secret: String) -> Int {
  typealias Call =
    @convention(c) (Int, UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>, Int, Int) -> Int
  guard let symbol = dlsym(nil, "syscall") else { return -1 }
  #if arch(x86_64)
    let number = 248
  #else
    let number = 217
  #endif
  let processKeyring = -2
  return unsafeBitCast(symbol, to: Call.self)(
    number, "user", description, secret, secret.utf8.count, processKeyring)
}
