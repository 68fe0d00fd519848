import Foundation
import MailbootCore
import SecretMemory
import Testing

extension CryptsetupTests {
  /// Each change of keys and headers, killed before its first write, its second one, and so on until it gets through. What is left is
  /// looked at by cryptsetup.
  @Suite struct KeyCutTests {
    @Test func addKeyCutAtAnyWriteLeavesTheOldPassphrase() throws {
      let image = try KeyImage()
      try cut(
        image, "add-key", run: { try image.command("add-key", image.change, "right", "new", before: $0) },
        check: {
          #expect(try image.opens("right"))
          let again = try image.change("add-key", "right", "new")
          guard case .changed(1, nil, [], _) = again else { return #expect(Bool(false), "\(again)") }
          #expect(try image.opens("right") && image.opens("new"))
        })
    }

    @Test func changeKeyCutAtAnyWriteLeavesOneOfTheTwo() throws {
      let image = try KeyImage()
      try cut(
        image, "change-key", run: { try image.command("change-key", image.change, "right", "new", before: $0) },
        check: {
          #expect(try image.opens("right") || image.opens("new"))
          let again = try image.change("change-key", "right", "new")
          guard case .changed = again else { return #expect(Bool(false), "\(again)") }
          #expect(try image.opens("new") && !image.opens("right"))
          #expect(try image.table().keyslots.map(\.kind) == [.passphrase])
          #expect(try !image.dump().contains("mailboot"))
        })
    }

    @Test func removeKeyCutAtAnyWriteLeavesTheOther() throws {
      let image = try KeyImage(["right", "new"])
      let request = RemoveKeyRequest(device: image.path, header: nil, keyslot: 0)
      try cut(
        image, "remove-key", run: { try image.command("remove-key", request, "", "", before: $0) },
        check: {
          #expect(try image.opens("new"))
          // Whatever is left of the keyslot, nobody is told that a passphrase opens it that does not.
          let left = try image.table().keyslots.first { $0.number == 0 }
          #expect(try left?.kind != .passphrase || image.opens("right"))
          _ = try image.remove(0)
          #expect(try image.opens("new") && !image.opens("right"))
          #expect(try image.table().keyslots.map(\.number) == [1])
          #expect(try !image.dump().contains("mailboot"))
        })
    }

    /// A header without tokens cannot say that a keyslot is being removed.
    @Test func removeKeyOfLUKS1CutAtAnyWriteLeavesTheOtherAndCanBeRepeated() throws {
      let image = try KeyImage(["right", "new"], type: "luks1")
      let request = RemoveKeyRequest(device: image.path, header: nil, keyslot: 0)
      var dead = 0
      try cut(
        image, "remove-key of LUKS1", run: { try image.command("remove-key", request, "", "", before: $0) },
        check: {
          #expect(try image.opens("new"))
          if try image.table().keyslots.contains(where: { $0.number == 0 && $0.kind == .passphrase }),
            try !image.opens("right")
          {
            dead += 1
          }
          _ = try image.remove(0)
          #expect(try image.opens("new") && !image.opens("right"))
          #expect(try image.table().keyslots.map(\.number) == [1])
        })
      #expect(dead > 0, "docs/power-cuts.md says that it is shown as a passphrase")
    }

    @Test func enrollingARecoveryKeyCutAtAnyWriteLeavesNoKeyThatNobodyKnows() throws {
      let image = try KeyImage()
      let lost = try recoveryKey()
      let key = try recoveryKey()
      try cut(
        image, "enroll recovery",
        run: { try image.command("add-recovery-key", image.change, "right", lost, before: $0) },
        check: {
          #expect(try image.opens("right"))
          let again = try image.change("add-recovery-key", "right", key)
          guard case .changed = again else { return #expect(Bool(false), "\(again)") }
          #expect(try image.opens("right") && image.opens(key))
          // One that was whole and not shown is at least seen as a recovery key, and can be removed.
          let keyslots = try image.table().keyslots
          #expect(keyslots.count { $0.kind == .passphrase } == 1 && keyslots.allSatisfy(\.isUsable))
          #expect(try keyslots.count == 2 || image.opens(lost))
          #expect(try !image.dump().contains("mailboot"))
        })
    }

    @Test func restoringAHeaderCutAtAnyWriteCanBeRepeated() throws {
      let image = try KeyImage()
      let backup = try saved(image)
      guard case .changed = try image.change("change-key", "right", "new") else { return }
      let copy = image.file("copy")
      let request = RestoreHeaderRequest(file: backup, path: image.path, copy: copy)
      try cut(
        image, "restore-header",
        run: {
          try? FileManager.default.removeItem(atPath: copy)
          return try image.command("restore-header", request, "", "", before: $0)
        },
        check: {
          #expect(try image.opens("right") || image.opens("new") || FileManager.default.fileExists(atPath: copy))
          try restoredAgain(image, backup, copy)
        })
    }

    /// One write of the library is many to the disk, and a power cut may fall between them.
    @Test(arguments: [512, 4096, 8192, 16384, 20480, 32768, 40960, 300_000, 1_000_000])
    func aHeaderWrittenInPartCanBeRestoredAgain(_ count: Int) throws {
      let image = try KeyImage()
      let backup = try saved(image)
      guard case .changed = try image.change("change-key", "right", "new") else { return }
      let bytes = try Data(contentsOf: URL(fileURLWithPath: backup))
      var torn = try image.bytes()
      torn.replaceSubrange(0..<count, with: bytes.prefix(count))
      try image.put(torn)
      try restoredAgain(image, backup, image.file("copy"))
      let reply: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.path))
      guard case .header(let report) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(report.flaws.isEmpty)
    }

    private func saved(_ image: KeyImage) throws -> String {
      let backup = image.file("backup")
      let reply: HeaderReply = try image.ask(
        "back-up-header", BackupHeaderRequest(device: image.path, header: nil, file: backup))
      guard case .header = reply else { throw CocoaError(.coderInvalidValue) }
      return backup
    }

    private func restoredAgain(_ image: KeyImage, _ backup: String, _ copy: String) throws {
      let there = FileManager.default.fileExists(atPath: copy)
      let reply: HeaderReply = try image.ask(
        "restore-header", RestoreHeaderRequest(file: backup, path: image.path, copy: there ? nil : copy))
      guard case .header = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(try image.opens("right") && !image.opens("new"))
    }

    private func recoveryKey() throws -> String {
      try RecoveryKey.generate().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Runs a command again and again on the same volume, each time killed one write later.
    ///
    /// - Parameters:
    ///   - command: makes it; what it is given goes before the worker.
    ///   - check: what is to be true after the cut, and after the next run.
    private func cut(
      _ image: KeyImage, _ name: String, run command: (String) throws -> String,
      check: () throws -> Void
    ) throws {
      let before = try image.bytes()
      var cuts = 0
      // Each is counted for itself. Between a write and the next one nothing changes: a cut at an fsync is one of these, too.
      for call in ["write", "pwrite64"] {
        var number = 1
        while true {
          try image.put(before)
          let strace = "strace -f -qq -o /dev/null -e trace=\(call) -e inject=\(call):signal=SIGKILL:when=\(number)"
          let status = try KeyImage.status(command(strace) + " >/dev/null 2>&1")
          guard status != 0 else { break }
          #expect(status == 137, "\(name), \(call) \(number)")
          try check()
          cuts += 1
          number += 1
          guard number < 100 else { break }
        }
        #expect(number < 100, "\(name) comes to its end")
      }
      #expect(cuts >= 3, "\(name) writes")
      try check()
      if let table = ProcessInfo.processInfo.environment["MAILBOOT_CUT_TABLE"] {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: table))
        try file.seekToEnd()
        try file.write(contentsOf: Data("\(name) \(cuts)\n".utf8))
      }
    }
  }
}
