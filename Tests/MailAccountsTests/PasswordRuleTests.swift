import SecretMemory
import Testing

@testable import MailAccounts

@Suite struct PasswordRuleTests {
  private func refusal(_ bytes: [UInt8]) throws -> PasswordError? {
    let password = try secret(bytes)
    do {
      try requireUsable(password)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: ["x", " ", "correct horse battery staple", "pässwörd", "密码🔑", "\"'\\;--", "a\u{301}"])
  func textIsAPassword(text: String) throws {
    #expect(try refusal(Array(text.utf8)) == nil)
  }

  @Test func whatNobodyCouldTypeIsRefused() throws {
    #expect(try refusal([]) == .empty)
    #expect(try refusal([0x61, 0, 0x62]) == .containsNUL)
    for byte: UInt8 in [0x01, 0x09, 0x0A, 0x0D, 0x1B, 0x7F] {
      #expect(try refusal([0x61, byte]) == .containsControlCharacter)
    }
    #expect(try refusal(Array("a\u{85}".utf8)) == .containsControlCharacter)
    #expect(try refusal([0x61, 0xE4]) == .notUTF8)
    #expect(try refusal([0xC0, 0x80]) == .notUTF8)
    #expect(try refusal([0xED, 0xA0, 0x80]) == .notUTF8)
  }

  @Test func hasAtMost1024Octets() throws {
    #expect(try refusal(Array(repeating: 0x61, count: 1024)) == nil)
    #expect(try refusal(Array(repeating: 0x61, count: 1025)) == .tooLong(limit: 1024))
  }

  @Test func aGeneratedOneIsUsableAndNeverTheSame() throws {
    var seen: Set<[UInt8]> = []
    let alphabet = Set("abcdefghjkmnpqrstuvwxyz23456789".utf8)
    var used: Set<UInt8> = []
    for _ in 0..<200 {
      let password = try generatedPassword()
      try requireUsable(password)
      let octets = bytes(of: password)
      let groups = octets.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      #expect(groups.map(\.count) == [4, 4, 4, 4, 4, 4])
      #expect(groups.joined().allSatisfy(alphabet.contains))
      used.formUnion(groups.joined())
      seen.insert(octets)
    }
    #expect(seen.count == 200)
    // 4800 characters: that one of 31 is missing has a probability below 10⁻⁶⁶.
    #expect(used == alphabet)
  }

  @Test func noErrorShowsThePassword() throws {
    let long = String(repeating: "hunter2", count: 200)
    let found = error { () throws in _ = try newHash(long, .argon2id) }
    #expect(found.map { "\($0)".contains("hunter2") } == false)
  }
}
