import MailbootCore
import SecretMemory
import Testing

@testable import MailbootCore

/// Rules of keyslots and recovery keys.
struct VaultKeyTests {
  /// The same each time: 0, 1, 2 and so on.
  private struct Counter: RandomNumberGenerator {
    var number: UInt64 = 0
    mutating func next() -> UInt64 {
      defer { number += 1 }
      return number
    }
  }

  private func text(_ secret: borrowing SecretBytes) -> String {
    secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  private func secret(_ text: String) throws -> SecretBytes {
    var secret = try SecretBytes(capacity: max(1, text.utf8.count))
    for byte in text.utf8 { try secret.append(byte) }
    return secret
  }

  @Test func aRecoveryKeyHasEightGroupsOfEightLetters() throws {
    var counter = Counter()
    let made = text(try RecoveryKey.generate(from: &counter))
    #expect(made.hasPrefix("cccbcdce-cfcgchci-"), "\(made)")
    #expect(made.split(separator: "-").map(\.count) == Array(repeating: 8, count: 8))
    #expect(made.count == RecoveryKey.length)
    let one = text(try RecoveryKey.generate())
    #expect(one.allSatisfy { "cbdefghijklnrtuv-".contains($0) })
    #expect(text(try RecoveryKey.generate()) != one)
  }

  @Test func aTypedRecoveryKeyIsTakenWithoutDashesAndInCapitals() throws {
    let key = text(try RecoveryKey.generate())
    for typed in [key.filter { $0 != "-" }, key.uppercased(), key.filter { $0 != "-" }.uppercased()] {
      let normalized = try RecoveryKey.normalized(secret(typed))
      guard let normalized else { return #expect(Bool(false), "\(typed)") }
      #expect(text(normalized) == key)
    }
    // As it was made there is nothing to try once more, and a passphrase is none.
    for typed in [
      key, "", "correct horse", key + "c", String(key.dropLast()), "-" + key, key.replacing("-", with: "--"),
    ] {
      let isNone = try RecoveryKey.normalized(secret(typed)) == nil
      #expect(isNone, "\(typed)")
    }
  }

  @Test func aKeyDerivationTakesAQuarterOfTheMemoryAndAtMostAGibibyte() {
    #expect(KeyDerivationCost(totalMemoryKiB: 1 << 20).memoryKiB == 256 << 10)
    #expect(KeyDerivationCost(totalMemoryKiB: 64 << 20).memoryKiB == 1 << 20)
    #expect(KeyDerivationCost(totalMemoryKiB: 0).memoryKiB == 32)
    #expect(KeyDerivationCost(totalMemoryKiB: 1 << 20).threads == 4)
  }

  @Test func whatAKeyslotIsItsTokenSays() {
    let kinds: [(String, Keyslot.Kind)] = [
      ("systemd-recovery", .recovery), ("systemd-tpm2", .tpm2), ("systemd-fido2", .fido2), ("systemd-pkcs11", .pkcs11),
      ("clevis", .clevis), ("luks2-keyring", .keyring), ("other", .token),
    ]
    for (type, kind) in kinds { #expect(Keyslot.Kind(tokens: [type]) == kind) }
    #expect(Keyslot.Kind(tokens: []) == .passphrase)
  }

  @Test func theLastThatOpensIsInsistedOn() {
    func removal(_ kinds: [Keyslot.Kind], of number: Int = 0) -> KeyRemoval {
      KeyRemoval(of: number, in: kinds.enumerated().map { Keyslot(number: $0, kind: $1) })
    }
    #expect(removal([.passphrase]) == .leavesNothing && KeyRemoval.leavesNothing.needsForce)
    #expect(removal([.passphrase, .unbound, .unfinished, .reencryption]) == .leavesNothing)
    #expect(removal([.passphrase, .tpm2]) == .leavesTokens([.tpm2]) && removal([.passphrase, .tpm2]).needsForce)
    #expect(removal([.passphrase, .tpm2, .recovery]) == .leavesRecovery)
    #expect(!KeyRemoval.leavesRecovery.needsForce)
    // Nothing tries it unless it is named.
    let ignored = [Keyslot(number: 0, kind: .passphrase), Keyslot(number: 1, kind: .passphrase, priority: "ignore")]
    #expect(KeyRemoval(of: 0, in: ignored) == .leavesNothing && KeyRemoval(of: 1, in: ignored) == .harmless)
    #expect(removal([.tpm2, .passphrase]) == .harmless && removal([.unbound, .tpm2]) == .harmless)
  }

  @Test func aBackupIsOlderOnceKeysHaveChanged() {
    let record = HeaderBackupRecord(uuid: "u", path: "/b", at: 0, fingerprint: "one", sha256: "")
    #expect(HeaderBackupState(record, fingerprint: "one").complaint == nil)
    #expect(HeaderBackupState(record, fingerprint: "two").state == .older)
    #expect(HeaderBackupState(nil, fingerprint: "one").state == .none)
    #expect(HeaderBackupState(record, fingerprint: "two").complaint?.contains("1970-01-01T00:00:00Z") == true)
  }
}
