import Testing

@testable import MailbootCore

/// From findings to verdicts.
struct VerdictsTests {
  private func verify(_ severity: [CheckName: Severity]) -> Configuration.Verify {
    var verify = Configuration().verify
    verify.severity = severity
    return verify
  }

  @Test(arguments: [
    (Severity.require, Grade.sound, CheckResult.pass), (.require, .warning, .warn), (.require, .fatal, .fail),
    (.strict, .sound, .pass), (.strict, .warning, .fail), (.strict, .fatal, .fail), (.warn, .sound, .pass),
    (.warn, .warning, .warn), (.warn, .fatal, .warn), (.off, .sound, .skip), (.off, .fatal, .skip),
  ])
  func severityMakesTheVerdict(_ severity: Severity, _ grade: Grade, _ result: CheckResult) {
    var verdicts = Verdicts(verify([.dkim: severity]))
    let taken = verdicts.take([Finding(.dkim, grade: grade)], of: .dkim, at: 7)
    #expect(taken.map(\.result) == [result])
    #expect(taken.first?.detail == (severity == .off ? "off" : "seen"))
    #expect(taken.first?.at == 7)
    #expect(verdicts.records == taken)
    #expect(verdicts.failed.isEmpty == (result != .fail))
  }

  /// Whoever has set it meant something by it.
  @Test func aCheckThatOnlyWarnsFailsWhereItIsRequired() {
    #expect(CheckName.allCases.filter(\.onlyWarns) == [.certificateExpiry, .certificateNames, .freeSpace])
    var verdicts = Verdicts(verify([.freeSpace: .require]))
    #expect(verdicts.take([Finding(.spaceLow, "1 %")], of: .freeSpace, at: 0).map(\.result) == [.fail])
  }

  @Test(arguments: [Severity.warn, .require, .strict])
  func aCheckThatDoesNotApplyIsSkippedAndSaysWhy(_ severity: Severity) {
    var verdicts = Verdicts(verify([.database: severity]))
    let taken = verdicts.take([Finding(inapplicable: .database, "MySQL")], of: .database, at: 0)
    #expect(taken.map(\.result) == [.skip] && taken.first?.detail == "MySQL")
  }

  @Test func aHintStaysOnlyWhereSomethingIsToBeDone() {
    var verdicts = Verdicts(Configuration().verify)
    let good = verdicts.take([Finding(.mount, sound: true, detail: "", hint: "do it")], of: .mount, at: 0)
    let bad = verdicts.take([Finding(.dkim, sound: false, detail: "", hint: "do it")], of: .dkim, at: 0)
    #expect(good.first?.hint == nil)
    #expect(bad.first?.hint == "do it")
  }

  /// Services were to wait for its answer.
  @Test func aRequiredCheckThatSaysNothingFails() {
    var verdicts = Verdicts(Configuration().verify)
    let taken = verdicts.take([], of: .certificate, at: 0)
    #expect(taken.map(\.result) == [.fail, .skip, .skip])
    #expect(taken.allSatisfy { $0.detail == "could not be looked at" })
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
