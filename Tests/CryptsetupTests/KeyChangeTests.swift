import Foundation
import MailbootCore
import SecretMemory
import Testing

extension CryptsetupTests {
  /// Keyslots, with cryptsetup and systemd-cryptenroll as witnesses.
  @Suite struct KeyChangeTests {
    @Test func whatWeAddCryptsetupOpensAndTheOtherWayRound() throws {
      let image = try KeyImage()
      #expect(try image.change("add-key", "right", "ours") == added(1))
      try image.addByCryptsetup("theirs", openedBy: "ours")
      #expect(try image.opens("ours") && image.opens("theirs"))
      let reply: TestKeyReply = try image.ask(
        "test-key", TestKeyRequest(device: image.path, header: nil, memoryLimitKiB: nil), "theirs")
      guard case .opens(2, _) = reply else { return #expect(Bool(false), "\(reply)") }
    }

    @Test func theSamePassphraseAgainChangesNothing() throws {
      let image = try KeyImage()
      #expect(try image.change("change-key", "right", "right") == .same(keyslot: 0))
      #expect(try image.change("add-key", "right", "new") == added(1))
      let before = try image.bytes()
      #expect(
        try image.change("add-key", "right", "new") == .changed(keyslot: 1, removed: nil, cleared: [], wasThere: true))
      #expect(try image.bytes() == before)
    }

    @Test func aWrongPassphraseChangesNothing() throws {
      let image = try KeyImage()
      let before = try image.bytes()
      for verb in ["add-key", "change-key", "add-recovery-key"] {
        guard case .failed(let failure) = try image.change(verb, "wrong", "new") else {
          return #expect(Bool(false), "\(verb)")
        }
        #expect(failure.kind == .notAccepted)
      }
      #expect(try image.bytes() == before)
    }

    @Test func anEmptyPassphraseIsNeverMadeOneThatOpens() throws {
      let image = try KeyImage()
      let before = try image.bytes()
      for verb in ["add-key", "change-key"] {
        guard case .failed(let failure) = try image.change(verb, "right", "") else {
          return #expect(Bool(false), "\(verb)")
        }
        #expect(failure.kind == .notChanged)
      }
      #expect(try image.bytes() == before && !image.opens(""))
    }

    @Test func aFullHeaderSaysSo() throws {
      let image = try KeyImage(["right", "a", "b", "c"])
      let before = try image.bytes()
      let reply = try image.change("change-key", "right", "new")
      guard case .failed(let failure) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(failure.kind == .noKeyslot, "\(failure)")
      #expect(try image.bytes() == before && image.opens("right"))
    }

    @Test func aPriorityStaysWithTheChangedPassphrase() throws {
      let image = try KeyImage()
      try KeyImage.shell("cryptsetup config --priority prefer --key-slot 0 \(image.path)")
      #expect(
        try image.change("change-key", "right", "new") == .changed(keyslot: 1, removed: 0, cleared: [], wasThere: false)
      )
      #expect(try image.table().keyslots.map(\.priority) == ["prefer"])
    }

    @Test func systemdReadsOurRecoveryKeyAndWeItsOwn() throws {
      let image = try KeyImage()
      let ours = try RecoveryKey.generate().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      #expect(try image.change("add-recovery-key", "right", ours) == added(1))
      let listed = try KeyImage.shell("systemd-cryptenroll \(image.path) 2>/dev/null")
      #expect(listed.split(separator: "\n").contains { $0.split(separator: " ") == ["1", "recovery"] }, "\(listed)")
      let token = try KeyImage.shell("cryptsetup token export --token-id 0 \(image.path)")
      #expect(token == #"{"type":"systemd-recovery","keyslots":["1"]}"#)

      let theirs = try KeyImage.shell(
        "systemd-cryptenroll --unlock-key-file=\(image.secret("right")) --recovery-key \(image.path) 2>/dev/null"
      ).trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(theirs.count == RecoveryKey.length)
      #expect(try image.table().keyslots.map(\.kind) == [.passphrase, .recovery, .recovery])
      // Written down without dashes, read as capitals.
      for typed in [ours, theirs, theirs.filter { $0 != "-" }, ours.uppercased()] {
        let reply: TestKeyReply = try image.ask(
          "test-key", TestKeyRequest(device: image.path, header: nil, memoryLimitKiB: nil), typed)
        guard case .opens = reply else { return #expect(Bool(false), "\(typed): \(reply)") }
      }
    }

    @Test func removingAKeyslotTakesItsTokensWithIt() throws {
      let image = try KeyImage(["right", "new"])
      let token = image.file("token")
      try #"{"type":"clevis","keyslots":["1"],"jwe":{}}"#.write(toFile: token, atomically: true, encoding: .utf8)
      try KeyImage.shell("cryptsetup token import --json-file \(token) \(image.path)")
      let both = #"{"type":"luks2-keyring","keyslots":["0","1"],"key_description":"test"}"#
      try both.write(toFile: token, atomically: true, encoding: .utf8)
      try KeyImage.shell("cryptsetup token import --json-file \(token) \(image.path)")
      #expect(try image.table().keyslots.map(\.tokens) == [["luks2-keyring"], ["clevis", "luks2-keyring"]])
      #expect(try image.remove(1) == .removed(cleared: []))
      let dump = try image.dump()
      #expect(!dump.contains("clevis") && dump.contains("luks2-keyring"))
      guard case .failed = try image.remove(1) else { return #expect(Bool(false), "it is empty") }
    }

    /// The keyslot that was being removed is gone, its mark is not, and another program has put a key there.
    @Test(arguments: [nil, 1000])
    func aKeyThatCameIntoAMarkedKeyslotStays(_ iterations: Int?) throws {
      let image = try KeyImage(["right", "gone"])
      try mark(image, 1, iterations.map { "\"iterations\":\($0)" } ?? "\"salt\":\"\(try image.salt(1))\"")
      try KeyImage.shell("cryptsetup luksKillSlot -q \(image.path) 1 --key-file \(image.secret("right"))")
      try KeyImage.shell(
        "cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1100 --key-file \(image.secret("right"))"
          + " \(image.path) \(image.secret("theirs"))")
      #expect(try image.table().keyslots.map(\.kind) == [.passphrase, .passphrase])
      let changed = try image.change("change-key", "right", "new")
      #expect(changed == .changed(keyslot: 2, removed: 0, cleared: [], wasThere: false))
      #expect(try image.opens("theirs") && image.opens("new"))
      #expect(try !image.dump().contains("mailboot"))
    }

    @Test func aMarkThatACutHasLeftDoesNotTakeTheKeyOfARekey() throws {
      let image = try KeyImage()
      try mark(image, 1, "\"iterations\":1000")
      let reply: VolumeReply = try image.ask(
        "rekey", VolumeRequest(device: image.path, header: nil, mapping: nil, memoryLimitKiB: nil), "right")
      #expect(reply == .done)
      #expect(try image.table().keyslots.map(\.kind) == [.passphrase])
      guard case .changed = try image.change("change-key", "right", "new") else {
        return #expect(Bool(false), "the passphrase is still the volume's")
      }
      #expect(try image.opens("new"))
    }

    @Test func theLastKeyslotStaysWhateverIsSaidOfIt() throws {
      let image = try KeyImage()
      try mark(image, 0, "\"salt\":\"\(try image.salt(0))\"")
      #expect(try image.change("add-key", "right", "new") == added(1))
      #expect(try image.opens("right") && image.opens("new"))
    }

    /// What a cut leaves of a change.
    private func mark(_ image: KeyImage, _ keyslot: Int, _ about: String) throws {
      let token = image.file("mark")
      try #"{"type":"mailboot-unfinished-\#(keyslot)","keyslots":[],\#(about)}"#.write(
        toFile: token, atomically: true, encoding: .utf8)
      try KeyImage.shell("cryptsetup token import --json-file \(token) \(image.path)")
    }

    @Test func anUnboundKeyslotIsNoneThatOpens() throws {
      let image = try LUKSImage(unbound: Array("other".utf8))
      let reply: KeyTableReply = try WorkerProcess.ask(
        "key-table", KeyTableRequest(device: image.path, header: nil, measures: true))
      guard case .table(let table) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(table.keyslots.map(\.kind) == [.passphrase, .unbound])
      #expect(KeyRemoval(of: 0, in: table.keyslots) == .leavesNothing)
      // Measured, by a derivation that opens nothing.
      #expect(table.keyslots[0].seconds.map { $0 > 0 && $0 < 5 } == true && table.keyslots[1].seconds == nil)
    }

    @Test func luks1HasItsEightKeyslots() throws {
      let image = try KeyImage(type: "luks1")
      #expect(try image.change("add-key", "right", "new") == added(1))
      #expect(
        try image.change("change-key", "right", "other")
          == .changed(keyslot: 2, removed: 0, cleared: [], wasThere: false))
      let table = try image.table()
      #expect(table.version == 1 && table.capacity == 8 && table.keyslots.map(\.number) == [1, 2])
      #expect(try image.remove(1) == .removed(cleared: []))
      #expect(try image.opens("other") && !image.opens("new") && !image.opens("right"))
      guard case .failed(let failure) = try image.change("add-recovery-key", "other", "x") else { return }
      #expect(failure.kind == .notChanged)
    }

    @Test func theFingerprintChangesWithEachKey() throws {
      let image = try KeyImage()
      let first = try image.table().fingerprint
      #expect(try image.change("add-key", "right", "new") == added(1))
      let second = try image.table().fingerprint
      #expect(try image.remove(1) == .removed(cleared: []))
      // The same keys as in the beginning.
      #expect(try first != second && image.table().fingerprint == first && first.count == 64)
    }

    // MARK: Headers

    @Test func aBackupIsReadByCryptsetupAndOpens() throws {
      let image = try KeyImage()
      let report = try saved(image)
      #expect(report.flaws.isEmpty && report.available == report.size)
      #expect(try KeyImage.shell("cryptsetup luksUUID \(image.file("backup"))") == report.table.uuid + "\n")
      try KeyImage.shell(
        "cryptsetup open --test-passphrase \(image.file("backup")) --key-file \(image.secret("right"))")
      // And theirs by us.
      try KeyImage.shell("cryptsetup luksHeaderBackup \(image.path) --header-backup-file \(image.file("theirs"))")
      let reply: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.file("theirs")))
      guard case .header(let theirs) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(theirs == report)
    }

    @Test func aDamagedCopyIsNamedAlthoughTheOtherIsSound() throws {
      for (offset, name) in [(100, "the first copy"), (16384 + 100, "the second copy")] {
        let image = try KeyImage()
        var bytes = try image.bytes()
        bytes[offset] ^= 1
        try image.put(bytes)
        let reply: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.path))
        guard case .header(let report) = reply else { return #expect(Bool(false), "\(reply)") }
        #expect(report.flaws == ["\(name): its checksum is wrong"])
        #expect(try image.bytes() == bytes, "nothing is repaired by looking")
      }
    }

    @Test func aBackupThatWasCutIsNamed() throws {
      let image = try KeyImage()
      _ = try saved(image)
      try KeyImage.shell("truncate -s 500000 \(image.file("backup"))")
      let reply: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.file("backup")))
      guard case .failed(let failure) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(failure.kind == .damagedHeader && failure.detail.contains("too small"))
    }

    /// The question stood for a while.
    @Test func aBackupThatIsAnotherOneByNowIsNotRestored() throws {
      let image = try KeyImage()
      let seen = try saved(image)
      #expect(try image.change("add-key", "right", "new") == added(1))
      let before = try image.bytes()
      try KeyImage.shell("rm \(image.file("backup")); cp \(image.path) \(image.file("backup"))")
      let reply: HeaderReply = try image.ask(
        "restore-header",
        RestoreHeaderRequest(file: image.file("backup"), path: image.path, copy: nil, sha256: seen.sha256))
      guard case .failed(let failure) = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(try failure.kind == .notChanged && image.bytes() == before)
    }

    @Test func aZeroedHeaderComesBack() throws {
      let image = try KeyImage()
      _ = try saved(image)
      try image.put(Data(count: 4 << 20))
      let gone: HeaderReply = try image.ask("check-header", CheckHeaderRequest(path: image.path))
      guard case .failed(let failure) = gone else { return #expect(Bool(false), "\(gone)") }
      #expect(failure.kind == .notLUKS)
      let reply: HeaderReply = try image.ask(
        "restore-header",
        RestoreHeaderRequest(file: image.file("backup"), path: image.path, copy: image.file("copy")))
      guard case .header = reply else { return #expect(Bool(false), "\(reply)") }
      #expect(try image.opens("right"))
      #expect(FileManager.default.contents(atPath: image.file("copy"))?.allSatisfy { $0 == 0 } == true)
    }

    private func saved(_ image: KeyImage) throws -> HeaderReport {
      let reply: HeaderReply = try image.ask(
        "back-up-header", BackupHeaderRequest(device: image.path, header: nil, file: image.file("backup")))
      guard case .header(let report) = reply else { throw CocoaError(.coderInvalidValue) }
      return report
    }

    private func added(_ keyslot: Int) -> KeyChangeReply {
      .changed(keyslot: keyslot, removed: nil, cleared: [], wasThere: false)
    }
  }
}
