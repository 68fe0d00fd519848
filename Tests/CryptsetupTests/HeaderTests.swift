import Cryptsetup
import Foundation
import Testing

extension CryptsetupTests {
  /// What is found out about a device without any secret.
  @Suite struct HeaderTests {
    @Test func aLUKS2HeaderIsSummarized() throws {
      let image = try LUKSImage(
        passphrases: [[1], [2]], unbound: [3], derivation: .argon2id(memoryKiB: 4096), label: "VAULT")
      let device = try LUKSDevice(device: image.path)
      let found = (device.version, device.label, device.usableKeyslots, device.leastDerivationMemoryKiB)
      #expect(found == (2, "VAULT", [0, 1], 4096))
      let uuid = device.uuid
      // Foundation brings a uuid_unparse of its own into this process, with which the library writes upper case.
      #expect(uuid.lowercased() == image.uuid)
    }

    @Test func aLUKS1HeaderIsSummarized() throws {
      let image = try LUKSImage(version: 1)
      let device = try LUKSDevice(device: image.path)
      let found = (device.version, device.label, device.usableKeyslots, device.leastDerivationMemoryKiB)
      #expect(found == (1, nil, [0], 0))
    }

    @Test(arguments: [0, 5, 4096, 1 << 20])
    func aFileWithoutAHeaderIsNotLUKS(_ size: UInt64) throws {
      let image = try LUKSImage()
      let path = image.directory + "/other"
      try LUKSImage.makeFile(path, size: size)
      let error = failure(path)
      #expect(error?.kind == .notLUKS)
      #expect(error?.detail == "\(path) has no LUKS header")
    }

    @Test(arguments: [1, 2])
    func aTruncatedVolumeIsADamagedOne(_ version: Int) throws {
      let image = try LUKSImage(version: version)
      try image.truncate(to: 500_000)
      #expect(failure(image.path)?.kind == .damagedHeader)
      try image.truncate(to: 100)
      #expect(failure(image.path)?.kind == .damagedHeader)
    }

    @Test func anUnknownVersionIsNamed() throws {
      let image = try LUKSImage(version: 1)
      try image.overwrite(at: 6, with: [0, 9])
      let error = failure(image.path)
      #expect(error?.kind == .damagedHeader)
      #expect(error?.detail.contains("version 9") == true)
    }

    @Test func oneIntactCopyOfALUKS2HeaderIsEnough() throws {
      let image = try LUKSImage()
      try image.overwrite(at: 0, with: [UInt8](repeating: 0, count: 4096))
      let device = try LUKSDevice(device: image.path)
      #expect(try device.check(passphrase: secret("right")) == 0)
    }

    @Test func twoDamagedCopiesOfALUKS2HeaderAreADamagedHeader() throws {
      let image = try LUKSImage()
      // A byte of the metadata in each copy: the magic is there, the checksums no longer fit.
      for offset in [4096 + 100, 0x4000 + 4096 + 100] as [UInt64] {
        try image.overwrite(at: offset, with: [0xFF])
      }
      let error = failure(image.path)
      #expect(error?.kind == .damagedHeader)
      #expect(error?.detail == "\(image.path) has a LUKS header, but no intact copy of it")
    }

    @Test func aDamagedSecondaryHeaderAloneIsADamagedHeader() throws {
      let image = try LUKSImage()
      try image.overwrite(at: 0, with: [UInt8](repeating: 0, count: 0x4000))
      try image.overwrite(at: 0x4000 + 4096 + 100, with: [0xFF])
      #expect(failure(image.path)?.kind == .damagedHeader)
    }

    @Test func aDetachedHeaderIsUsed() throws {
      let image = try LUKSImage(detached: true)
      #expect(failure(image.path)?.kind == .notLUKS)
      let device = try LUKSDevice(device: image.path, header: image.header)
      #expect(try device.check(passphrase: secret("right")) == 0)
    }

    @Test func aPathThatIsNoStorageIsNoDevice() throws {
      let image = try LUKSImage()
      for path in [image.directory + "/missing", image.path + "/below", image.directory, "/dev/null"] {
        let error = failure(path)
        #expect(error?.kind == .noDevice)
        #expect(error?.detail.hasPrefix(path) == true)
      }
      #expect(failure(image.path, header: image.directory + "/missing")?.kind == .noDevice)
    }
  }
}

/// How opening the header fails; nil when it does not.
private func failure(_ path: String, header: String? = nil) -> LUKSError? {
  do throws(LUKSError) {
    _ = try LUKSDevice(device: path, header: header)
    return nil
  } catch {
    return error
  }
}
