import MailbootCore
import Testing

/// From findings to verdicts.
struct VerdictsTests {
  private func verify(_ severity: [CheckName: Severity]) -> Configuration.Verify {
    var verify = Configuration().verify
    verify.severity = severity
    return verify
  }

  @Test(arguments: [
    (Severity.require, true, CheckResult.pass), (.require, false, .fail), (.warn, true, .pass), (.warn, false, .warn),
    (.off, true, .skip), (.off, false, .skip),
  ])
  func severityMakesTheVerdict(_ severity: Severity, _ sound: Bool, _ result: CheckResult) {
    var verdicts = Verdicts(verify([.dkim: severity]))
    let taken = verdicts.take([Finding(.dkim, sound: sound, detail: "seen")], of: .dkim, at: 7)
    #expect(taken.map(\.result) == [result])
    #expect(taken.first?.detail == (severity == .off ? "off" : "seen"))
    #expect(taken.first?.at == 7)
    #expect(verdicts.records == taken)
    #expect(verdicts.failed.isEmpty == (result != .fail))
  }

  @Test func aHintStaysOnlyWhereSomethingIsToBeDone() {
    var verdicts = Verdicts(Configuration().verify)
    let good = verdicts.take([Finding(.mount, sound: true, detail: "", hint: "do it")], of: .mount, at: 0)
    let bad = verdicts.take([Finding(.dkim, sound: false, detail: "", hint: "do it")], of: .dkim, at: 0)
    #expect(good.first?.hint == nil)
    #expect(bad.first?.hint == "do it")
  }

  @Test func aCheckNobodySaysAnythingAboutIsSkippedAndSaysSo() {
    var verdicts = Verdicts(Configuration().verify)
    let taken = verdicts.take([Finding(.certificate, sound: false, detail: "missing")], of: .certificate, at: 0)
    #expect(taken.map(\.result) == [.fail, .skip, .skip])
    #expect(taken.last?.detail == "could not be looked at")
  }

  @Test func recordsStandInTheOrderOfReportsWhateverEndsFirst() {
    var verdicts = Verdicts(Configuration().verify)
    for group in CheckGroup.allCases.reversed() { _ = verdicts.take([], of: group, at: 0) }
    #expect(verdicts.records.map(\.name) == CheckName.allCases)
  }

  @Test func aGroupIsWantedAndRequiredByAnyOfItsChecks() {
    let verdicts = Verdicts(
      verify([.certificate: .off, .certificateNames: .off, .freeSpace: .off, .maps: .warn, .rspamd: .require]))
    #expect(verdicts.wants(.certificate))
    #expect(!verdicts.requires(.certificate))
    #expect(!verdicts.wants(.freeSpace))
    #expect(verdicts.wants(.maps) && !verdicts.requires(.maps))
    #expect(verdicts.requires(.rspamd))
  }

  @Test func everyCheckBelongsToOneGroup() {
    #expect(CheckGroup.allCases.flatMap(\.checks).sorted() == CheckName.allCases)
  }

  @Test func severitiesByDefaultAreThoseOfTheContract() {
    let verify = Configuration().verify
    let warned = CheckName.allCases.filter { verify.severity(of: $0) == .warn }
    #expect(warned == [.certificateExpiry, .certificateNames, .freeSpace])
    #expect(CheckName.allCases.allSatisfy { verify.severity(of: $0) != .off })
  }
}
