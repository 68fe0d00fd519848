import Foundation
import MailbootCore
import TestSupport
import Testing

extension CryptsetupTests {
  /// New volumes, seen by cryptsetup.
  @Suite struct FormatTests {
    private func file(_ megabytes: UInt64 = 48) throws -> (path: String, passphrase: String) {
      let directory = NSTemporaryDirectory() + "format-" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try LUKSImage.makeFile(directory + "/volume", size: megabytes << 20)
      try Data("otter lamp".utf8).write(to: URL(fileURLWithPath: directory + "/passphrase"))
      return (directory + "/volume", directory + "/passphrase")
    }

    private func format(_ path: String, _ passphrase: String) throws -> FormatReply {
      var cost = KeyDerivationCost(totalMemoryKiB: 128 << 10)
      cost.milliseconds = 100
      return try WorkerProcess.ask(
        "format", FormatRequest(device: path, label: "vault", cost: cost), passphrase: passphrase)
    }

    @Test func aNewVolumeIsWhatCryptsetupCallsOne() throws {
      let (path, passphrase) = try file()
      defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
      guard case .formatted(let uuid) = try format(path, passphrase) else {
        Issue.record("not formatted")
        return
      }
      let dump = try runInShell("cryptsetup luksDump \(path)").output
      for line in [
        "Version:       \t2", uuid, "Label:         \tvault", "mailboot:unfinished", "aes-xts-plain64", "argon2id",
      ] {
        #expect(dump.contains(line), "\(line) in \(dump)")
      }
      let memory = dump.split(separator: "\n").first { $0.contains("Memory:") }?.split(separator: " ").last.flatMap {
        Int($0)
      }
      #expect(memory.map { $0 <= 32 << 10 } ?? false, "no more than it was given")
      #expect(try runInShell("cryptsetup open --test-passphrase --key-file \(passphrase) \(path)").status == 0)
      #expect(try runInShell("echo wrong | cryptsetup open --test-passphrase \(path)").status == 2)
    }

    @Test func oneThatIsWholeSaysItsFileSystem() throws {
      let (path, passphrase) = try file()
      defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
      _ = try format(path, passphrase)
      let marked: MarkReply = try WorkerProcess.ask("mark", MarkRequest(device: path, label: "mail", filesystem: "xfs"))
      #expect(marked == .marked)
      let reply: InspectReply = try WorkerProcess.ask("inspect", InspectRequest(device: path, header: nil))
      guard case .luks(let summary) = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(summary.label == "mail")
      #expect(VaultMark.filesystem(of: summary.subsystem) == "xfs")
      #expect(VaultMark.filesystem(of: VaultMark.unfinished) == nil)
      #expect(VaultMark.filesystem(of: "somebody's") == nil)
    }

    @Test func whatIsNoStorageIsAFailureWithAReason() throws {
      let (_, passphrase) = try file()
      defer { try? FileManager.default.removeItem(atPath: (passphrase as NSString).deletingLastPathComponent) }
      guard case .failed(let failure) = try format("/dev/null", passphrase) else {
        Issue.record("formatted")
        return
      }
      #expect(!failure.detail.isEmpty)
    }
  }
}
