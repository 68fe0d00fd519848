import Systemd
import Testing

/// What systemd tells of a start that a condition or an assertion kept from being one.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct UnitConditionTests {
  /// - Parameter isNeeded: whether another unit keeps it loaded.
  private func hindrances(_ lines: [String], job: String, isNeeded: Bool) throws -> [String] {
    let machine = try UserManager()
    let systemd = try machine.connect()
    let unit: UnitName = "tried.service"
    try machine.write(
      unit.rawValue,
      "[Unit]\nDefaultDependencies=no\n\(lines.joined(separator: "\n"))\n[Service]\nType=exec\nExecStart=sleep 100\n")
    try machine.write(
      "needs.service",
      "[Unit]\nDefaultDependencies=no\nBefore=tried.service\n[Service]\nType=exec\nExecStart=sleep 100\n")
    if isNeeded { #expect(try systemd.result(of: systemd.start("needs.service")) == "done") }
    #expect(try systemd.result(of: systemd.start(unit)) == job)
    let details = try #require(try systemd.details(of: [unit])[unit])
    #expect(details.state.isActive == details.hindrances.isEmpty)
    return details.hindrances.map(\.description)
  }

  @Test(
    arguments: [
      (["ConditionPathExists=/etc", "ConditionPathExists=!/etc"], "done", ["ConditionPathExists=!/etc"]),
      (["ConditionPathExists=|/nonexistent", "ConditionPathExists=|/etc"], "done", []),
      (["ConditionPathExists=/etc", "AssertPathIsMountPoint=/etc"], "assert", ["AssertPathIsMountPoint=/etc"]),
      ([], "done", []),
    ] as [([String], String, [String])])
  func theOneThatDoesNotHoldIsNamed(_ lines: [String], _ job: String, _ expected: [String]) throws {
    #expect(try hindrances(lines, job: job, isNeeded: true) == expected)
  }

  /// systemd forgets a unit that nothing needs when it comes to it.
  @Test func ofAUnitThatSystemdHasForgottenItIsNamedAtLeastAmongOthers() throws {
    let lines = ["ConditionPathExists=/etc", "ConditionPathExists=!/etc"]
    let named = try hindrances(lines, job: "done", isNeeded: false)
    #expect(Set(named) == Set(lines) || named == [lines[1]], "\(named)")
  }
}
