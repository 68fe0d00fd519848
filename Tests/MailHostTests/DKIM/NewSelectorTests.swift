import MailHost
import Testing

@Suite struct NewSelectorTests {
  private let names = ["202611", "202611b", "202611c", "202611d", "202611e", "202611f", "202611g"]

  @Test func neitherAFilesNorAShownKeysNameIsTaken() {
    let made = SigningKeyFile.newSelector(of: names, used: ["202611"]) { $0 == "202611b" }
    #expect(made == "202611c")
  }

  /// As where a zone revokes all keys that it does not name: `*._domainkey TXT "v=DKIM1; p="`.
  @Test func whereTheZoneHasAKeyForEveryNameOnlyAFewAreAskedFor() {
    var asked = 0
    let made = SigningKeyFile.newSelector(of: names, used: []) { _ in
      asked += 1
      return true
    }
    #expect(made == "202611" && asked == 5)
  }

  @Test func allNamesInUseAreNone() {
    #expect(SigningKeyFile.newSelector(of: names, used: Set(names)) { _ in false } == nil)
  }
}
