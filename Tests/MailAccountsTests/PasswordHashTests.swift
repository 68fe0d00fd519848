import Foundation
import SecretMemory
import Testing

@testable import MailAccounts

@Suite struct PasswordHashTests {
  @Test(arguments: [
    (PasswordScheme.argon2id, "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$", 22 + 1 + 43),
    (.blfCrypt, "{BLF-CRYPT}$2y$12$", 53),
    (.sha512Crypt, "{SHA512-CRYPT}$6$rounds=250000$", 16 + 1 + 86),
  ])
  func isInTheFormThatDovecotReads(scheme: PasswordScheme, prefix: String, rest: Int) throws {
    let text = try newHash("correct horse", scheme)
    #expect(text.hasPrefix(prefix))
    #expect(text.utf8.count == prefix.utf8.count + rest, "\(text)")
    #expect(text.utf8.allSatisfy { (0x21..<0x7F).contains($0) })
  }

  @Test(arguments: PasswordScheme.allCases)
  func matchesItsPasswordAndNoOther(scheme: PasswordScheme) throws {
    let stored = try newHash("pässwörd 密", scheme)
    #expect(StoredHash(stored).scheme == scheme.rawValue)
    #expect(StoredHash(stored).strength == .strong)
    #expect(try matches(stored, "pässwörd 密") == true)
    for wrong in ["", "pässwörd", "pässwörd 密 ", "Pässwörd 密", "pa\u{308}sswörd 密"] {
      #expect(try matches(stored, wrong) == false)
    }
  }

  @Test(arguments: PasswordScheme.allCases)
  func hasANewSaltEachTime(scheme: PasswordScheme) throws {
    #expect(try newHash("same", scheme) != newHash("same", scheme))
  }

  private func failure(_ bytes: [UInt8], _ scheme: PasswordScheme) throws -> PasswordError? {
    let password = try secret(bytes)
    do {
      _ = try PasswordHash.make(password, scheme: scheme)
      return nil
    } catch {
      return error
    }
  }

  /// bcrypt itself would ignore the rest.
  @Test func bcryptTakes72OctetsAndRefusesMore() throws {
    let longest = String(repeating: "a", count: 72)
    #expect(try matches(newHash(longest, .blfCrypt), longest) == true)
    #expect(try matches(newHash(longest, .blfCrypt), String(longest.dropLast())) == false)
    #expect(try failure(Array(repeating: 0x61, count: 73), .blfCrypt) == .tooLongForScheme(.blfCrypt, limit: 72))
    // 37 letters of two octets.
    #expect(try failure(Array(String(repeating: "é", count: 37).utf8), .blfCrypt) != nil)
  }

  @Test func theOthersTakeWhatTheirLibrariesTake() throws {
    let longest = String(repeating: "a", count: 511)
    #expect(try matches(newHash(longest, .sha512Crypt), longest) == true)
    #expect(
      try failure(Array(repeating: 0x61, count: 512), .sha512Crypt) == .tooLongForScheme(.sha512Crypt, limit: 511))
    let all = String(repeating: "b", count: 1024)
    #expect(try matches(newHash(all, .argon2id), all) == true)
    #expect(try matches(newHash(all, .argon2id), all + "b") == false)
  }

  @Test(arguments: PasswordScheme.allCases)
  func anUnusablePasswordIsNotHashed(scheme: PasswordScheme) throws {
    #expect(try failure([], scheme) == .empty)
    #expect(try failure([0x61, 0, 0x62], scheme) == .containsNUL)
    #expect(try failure([0x0A], scheme) == .containsControlCharacter)
    #expect(try failure([0xFF], scheme) == .notUTF8)
  }

  /// crypt(3) of the system, which dovecot uses, through perl.
  @Test(arguments: [PasswordScheme.blfCrypt, .sha512Crypt])
  func isUnderstoodByTheCryptOfTheSystem(scheme: PasswordScheme) throws {
    let hash = String(try newHash("pässwörd", scheme).dropFirst(scheme.rawValue.utf8.count + 2))
    let script = "exit(crypt($ARGV[0], $ARGV[1]) eq $ARGV[1] ? 0 : 3)"
    func exitStatus(_ password: String) throws -> Int32 {
      let perl = Process()
      perl.executableURL = URL(filePath: "/usr/bin/perl")
      perl.arguments = ["-e", script, password, hash]
      try perl.run()
      perl.waitUntilExit()
      return perl.terminationStatus
    }
    #expect(try exitStatus("pässwörd") == 0)
    #expect(try exitStatus("password") == 3)
  }
}
