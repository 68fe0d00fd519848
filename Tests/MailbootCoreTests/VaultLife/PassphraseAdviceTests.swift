import MailbootCore
import Testing

struct PassphraseAdviceTests {
  private func advice(_ text: String) -> [PassphraseAdvice] {
    Array(text.utf8).withUnsafeBytes(PassphraseAdvice.about)
  }

  @Test(arguments: ["otter lamp grammar ocelot", "mosshornblendecobalt", "seven 7 ducks, no geese."])
  func aGoodOneGetsNoAdvice(_ text: String) { #expect(advice(text).isEmpty) }

  @Test(arguments: ["hunter2", "kurz", "elevenchars"])
  func aShortOneIsCalledShort(_ text: String) { #expect(advice(text).contains(.short)) }

  @Test func charactersAreCountedNotBytes() {
    // Seven characters in fourteen bytes.
    #expect(advice("äöüäöüä").contains(.short))
    #expect(!advice("äöüäöüäöüäöü").contains(.short))
  }

  @Test(arguments: [
    "password", "Password1", "PASSWORT!", "correct horse battery staple", "qwertzuiop", "1234567890123",
    "aaaaaaaaaaaaaaaa",
    "letmein2024", "asdfghjkl", "abcdefghijklmnop", "mailserver",
  ])
  func whatEverybodyTriesIsCalledCommon(_ text: String) { #expect(advice(text).contains(.common)) }

  @Test(arguments: [
    "passwordless ocelot lamp", "qwerty otter lamp moss", "12345 ducks on a lake", "abba sings for otters",
  ])
  func aLongOneThatOnlyBeginsSoIsNot(_ text: String) { #expect(!advice(text).contains(.common)) }

  @Test(arguments: [
    "zebra lamp otter moss", "over the yard it went", "semi;colon lamp otter", "größere otter und lampen",
    "under_score_lamp",
  ])
  func whatAnotherKeyboardLayoutTypesElsewhereIsSaid(_ text: String) { #expect(advice(text) == [.layout]) }

  @Test func aBlankAtAnEndIsSaid() {
    #expect(advice("otter lamp grammar ").contains(.blankAtAnEnd))
    #expect(advice(" otter lamp grammar").contains(.blankAtAnEnd))
  }

  @Test func noAdviceRepeatsThePassphrase() {
    for advice in PassphraseAdvice.allCases { #expect(!advice.text.contains("otter")) }
  }
}
