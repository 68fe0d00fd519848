import Foundation
import MailbootCore
import Testing

extension CryptsetupTests {
  @Suite struct WorkerTests {
    @Test func inspectSaysWhatTheHeaderHolds() throws {
      let image = try LUKSImage(label: "VAULT")
      let reply: InspectReply = try WorkerProcess.ask("inspect", InspectRequest(device: image.path, header: nil))
      guard case .luks(let summary) = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(summary.version == 2 && summary.label == "VAULT" && summary.usableKeyslots == 1)
    }

    @Test func inspectRepairsNothingAndOpenDoes() throws {
      let image = try LUKSImage()
      try image.overwrite(at: 0, with: [UInt8](repeating: 0, count: 4096))
      let damaged = try image.headerBytes()
      let reply: InspectReply = try WorkerProcess.ask("inspect", InspectRequest(device: image.path, header: nil))
      guard case .luks = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(try image.headerBytes() == damaged)
      let wrong = try passphraseFile("wrong", beside: image)
      let refused: OpenReply = try WorkerProcess.ask("open", request(image), passphrase: wrong)
      #expect(refused.failureKind == .notAccepted)
      #expect(try image.headerBytes() != damaged)
    }

    @Test func aFailureIsAReplyToo() throws {
      let reply: InspectReply = try WorkerProcess.ask("inspect", InspectRequest(device: "/nonexistent", header: nil))
      #expect(reply == .failed(VaultFailure(.noDevice, "/nonexistent: No such file or directory")))
    }

    @Test func theBytesOnDescriptor3AreThePassphrase() throws {
      let image = try LUKSImage(passphrases: [Array("right\n".utf8)])
      let wrong: OpenReply = try WorkerProcess.ask(
        "open", request(image), passphrase: passphraseFile("right", beside: image))
      #expect(wrong == .failed(VaultFailure(.notAccepted, "the passphrase opens no keyslot")))
      let empty: OpenReply = try WorkerProcess.ask("open", request(image))
      #expect(empty == .failed(VaultFailure(.notAccepted, "the passphrase is empty")))
    }

    @Test func tooLittleMemoryForTheDerivationIsSaidWithBothAmounts() throws {
      let image = try LUKSImage(derivation: .argon2id(memoryKiB: 128 << 10))
      let passphrase = try passphraseFile("wrong", beside: image)
      let tooLittle: OpenReply = try WorkerProcess.ask(
        "open", request(image, memoryLimitKiB: 10_000), passphrase: passphrase)
      #expect(
        tooLittle
          == .failed(
            VaultFailure(.noMemory, "the key derivation needs 131072 KiB of memory; 10000 KiB are available")))
      let enough: OpenReply = try WorkerProcess.ask(
        "open", request(image, memoryLimitKiB: 131_072), passphrase: passphrase)
      #expect(enough.failureKind == .notAccepted, "derived, with four threads, and found wrong")
    }

    @Test func closingWhatIsNotOpenIsNoChange() throws {
      let reply: CloseReply = try WorkerProcess.ask("close", CloseRequest(mapping: "mailboot-test-none"))
      #expect(reply == .alreadyClosed)
    }

    @Test(arguments: [("nonsense", "{}"), ("inspect", "{"), ("inspect", "{}"), ("open", "[]"), ("close", "")])
    func whatIsNoRequestIsAUsageError(_ verb: String, _ request: String) throws {
      let run = try WorkerProcess.run(verb, request: Data(request.utf8))
      #expect(run.status == 64 && run.output.isEmpty)
      #expect(run.complaint.hasPrefix("mailboot-worker: "))
    }

    /// The library stops at the first keyslot that it lacks the memory for.
    @Test func aCheapKeyslotOpensWhereTheMemoryIsTooLittleForAnother() throws {
      let image = try LUKSImage(derivation: .argon2id(memoryKiB: 128 << 10), cheap: Array("cheap".utf8))
      let summary: InspectReply = try WorkerProcess.ask(
        "inspect", InspectRequest(device: image.path, header: nil))
      guard case .luks(let luks) = summary else { return #expect(Bool(false), "\(summary)") }
      #expect(luks.usableKeyslots == 2 && luks.derivationMemoryKiB == 0)
      let reply: OpenReply = try WorkerProcess.ask(
        "open", request(image, memoryLimitKiB: 10_000), passphrase: passphraseFile("cheap", beside: image))
      guard case .failed(let failure) = reply else { return }
      // Without device-mapper the passphrase is as far as it gets.
      #expect(failure.kind == .noDeviceMapper, "\(failure)")
    }

    @Test func anEndlessRequestIsRefused() throws {
      let run = try WorkerProcess.run("inspect", request: Data(repeating: 0x20, count: (64 << 20) + 1))
      #expect(run.status == 64 && run.output.isEmpty)
    }
  }
}

private func request(_ image: LUKSImage, memoryLimitKiB: Int? = nil) -> OpenRequest {
  OpenRequest(
    device: image.path, header: image.header, mapping: "mailboot-test-none", memoryLimitKiB: memoryLimitKiB)
}

func passphraseFile(_ text: String, beside image: LUKSImage) throws -> String {
  let path = image.directory + "/passphrase"
  try text.write(toFile: path, atomically: false, encoding: .utf8)
  return path
}

extension OpenReply {
  var failureKind: VaultFailure.Kind? {
    if case .failed(let failure) = self { failure.kind } else { nil }
  }
}
