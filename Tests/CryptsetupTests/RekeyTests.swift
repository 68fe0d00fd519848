import Foundation
import MailbootCore
import TestSupport
import Testing

extension CryptsetupTests {
  /// A new key for a volume in a file, which needs no device-mapper.
  @Suite struct RekeyTests {
    private func facts(_ image: LUKSImage) throws -> LUKSFacts {
      let reply: FactsReply = try WorkerProcess.ask("facts", InspectRequest(device: image.path, header: nil))
      guard case .facts(let facts) = reply else {
        Issue.record("\(reply)")
        throw CancellationError()
      }
      return facts
    }

    private func secretFile(_ text: String, beside image: LUKSImage) throws -> String {
      let path = image.directory + "/" + text
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return path
    }

    private func request(_ image: LUKSImage) -> VolumeRequest {
      VolumeRequest(device: image.path, header: nil, mapping: nil, memoryLimitKiB: nil)
    }

    /// Lets the worker be killed as it enters a write.
    private func killed(atWrite number: Int, _ image: LUKSImage, _ secret: String) throws {
      let process = Process()
      let input = image.directory + "/request"
      try JSONEncoder().encode(request(image)).write(to: URL(fileURLWithPath: input))
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = [
        "-c",
        #"exec strace -f -o /dev/null -e trace=write -e inject=write:signal=SIGKILL:when="$1" "$2" rekey <"$3" 3<"$4" 2>/dev/null"#,
        "sh", "\(number)", try WorkerProcess.path, input, secret,
      ]
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }

    @Test func theVolumeHasOneKeyslotOfTheSamePassphraseAfterwards() throws {
      let image = try LUKSImage(passphrases: [Array("right".utf8)])
      let before = try facts(image)
      let right = try secretFile("right", beside: image)
      let wrong = try secretFile("wrong", beside: image)
      let run = try WorkerProcess.run("rekey", request: JSONEncoder().encode(request(image)), passphrase: wrong)
      let refused = try JSONDecoder().decode(VolumeReply.self, from: run.output)
      #expect(refused == .failed(VaultFailure(.notAccepted, "the passphrase opens no keyslot")))
      #expect(try facts(image) == before)
      let done = try WorkerProcess.run("rekey", request: JSONEncoder().encode(request(image)), passphrase: right)
      #expect(try JSONDecoder().decode(VolumeReply.self, from: done.output) == .done)
      let lines = done.complaint.split(separator: "\n").compactMap { RekeyLine($0) }
      #expect(lines.last.map { $0.done == $0.all } ?? false)
      let after = try facts(image)
      #expect(after.keyslots == 1 && after.unboundKeyslots == 0 && after.reencryption == .none)
      #expect(after.uuid == before.uuid && after.copyTrouble.isEmpty)
    }

    /// Each write that has ever been of interest: before the record, at it, in the blocks, and in the last ones, behind which
    /// libcryptsetup alone refuses the volume.
    @Test(arguments: [8, 17, 24, 30, 38, 43])
    func cutAtAWriteTheNextOneGoesOnAndThePassphraseOpens(_ number: Int) throws {
      let image = try LUKSImage(passphrases: [Array("right".utf8)])
      let right = try secretFile("right", beside: image)
      try killed(atWrite: number, image, right)
      let run = try WorkerProcess.run("rekey", request: JSONEncoder().encode(request(image)), passphrase: right)
      #expect(try JSONDecoder().decode(VolumeReply.self, from: run.output) == .done, "\(run.complaint)")
      let after = try facts(image)
      #expect(after.keyslots == 1 && after.unboundKeyslots == 0 && after.reencryption == .none)
      #expect(after.requirements.isEmpty && after.copyTrouble.isEmpty)
      let opened: TestKeyReply = try WorkerProcess.ask(
        "test-key", TestKeyRequest(device: image.path, header: nil, memoryLimitKiB: nil), passphrase: right)
      guard case .opens = opened else {
        Issue.record("\(opened)")
        return
      }
    }

    /// It holds a key for something else, and happens to have the same passphrase.
    @Test func anUnboundKeyOfAnotherSizeStaysWhatItIs() throws {
      let image = try KeyImage()
      try KeyImage.shell(
        "cryptsetup luksAddKey -q --unbound --key-size 256 --pbkdf pbkdf2 --pbkdf-force-iterations 1000"
          + " \(image.path) \(image.secret("right"))")
      let request = VolumeRequest(device: image.path, header: nil, mapping: nil, memoryLimitKiB: nil)
      let reply: VolumeReply = try image.ask("rekey", request, "right")
      #expect(reply == .done)
      #expect(try image.table().keyslots.map(\.kind) == [.unbound, .passphrase])
      let facts: FactsReply = try image.ask("facts", InspectRequest(device: image.path, header: nil))
      guard case .facts(let found) = facts else { return #expect(Bool(false), "\(facts)") }
      #expect(found.keyBits == 512)
    }

    /// One that keeps the key and changes the sectors: its record looks the same at its beginning and at its end.
    @Test func oneThatHasOnlyBegunIsNotTakenForDone() throws {
      let image = try KeyImage()
      let path = image.file("other")
      let right = try image.secret("right")
      try KeyImage.shell(
        """
        truncate -s 32M \(path)
        cryptsetup luksFormat -q --sector-size 512 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \(path) --key-file \(right)
        cryptsetup reencrypt -q --init-only --keep-key --sector-size 4096 --force-offline-reencrypt \(path) \
          --key-file \(right) 2>/dev/null
        """)
      let request = VolumeRequest(device: path, header: nil, mapping: nil, memoryLimitKiB: nil)
      let reply: VolumeReply = try image.ask("rekey", request, "right")
      #expect(reply == .done)
      #expect(try KeyImage.shell("cryptsetup luksDump \(path)").contains("sector: 4096"))
    }

    /// Its passphrases are the same, and its data is not.
    @Test func aHeaderOfBeforeIsToldFromOneOfAfter() throws {
      let image = try KeyImage()
      func volume() throws -> (String, Bool) {
        let reply: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.path))
        guard case .header(let report) = reply else { throw CocoaError(.coderInvalidValue) }
        return (report.volume, report.isBeingRekeyed)
      }
      let before = try volume()
      guard case .changed = try image.change("change-key", "right", "new") else { throw CocoaError(.coderInvalidValue) }
      #expect(try volume() == before && before.0.count == 64)
      let bytes = try image.bytes()
      try KeyImage.shell(
        "cryptsetup reencrypt -q --init-only --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --force-offline-reencrypt"
          + " \(image.path) --key-file \(image.secret("new")) 2>/dev/null")
      let begun = try volume()
      #expect(begun.0 != before.0 && begun.1)
      try image.put(bytes)
      let reply: VolumeReply = try image.ask(
        "rekey", VolumeRequest(device: image.path, header: nil, mapping: nil, memoryLimitKiB: nil), "new")
      #expect(reply == .done)
      let after = try volume()
      #expect(after.0 != before.0 && after.0 != begun.0 && !after.1)
    }

    @Test func eachCopyOfTheHeaderIsJudgedByItself() throws {
      let image = try LUKSImage()
      #expect(try facts(image).copies?.map(\.isIntact) == [true, true])
      try image.overwrite(at: 5000, with: [0x58])
      let damaged = try image.headerBytes()
      let found = try facts(image)
      #expect(found.copies?.map(\.isIntact) == [false, true])
      #expect(found.copyTrouble == ["the first copy of the header is damaged"])
      #expect(try image.headerBytes() == damaged, "nothing is repaired")
    }
  }
}
