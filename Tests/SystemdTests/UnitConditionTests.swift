import Systemd
import Testing

/// What systemd tells of a start that a condition or an assertion kept from being one.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct UnitConditionTests {
  @Test func theOneThatDoesNotHoldIsNamed() throws {
    let machine = try UserManager()
    let systemd = try machine.connect()
    let service = "[Service]\nType=exec\nExecStart=sleep 100\n"
    let units: [(unit: UnitName, condition: String, job: String, unmet: String?)] = [
      ("a.service", "ConditionPathExists=/etc\nConditionPathExists=!/etc", "done", "ConditionPathExists=!/etc"),
      ("b.service", "ConditionPathExists=|/nonexistent\nConditionPathExists=|/etc", "done", nil),
      ("c.service", "AssertPathIsMountPoint=/etc", "assert", "AssertPathIsMountPoint=/etc"),
      ("d.service", "", "done", nil),
    ]
    for (unit, condition, job, unmet) in units {
      try machine.write(unit.rawValue, "[Unit]\nDefaultDependencies=no\n\(condition)\n\(service)")
      #expect(try systemd.result(of: systemd.start(unit)) == job)
      let details = try #require(try systemd.details(of: [unit])[unit])
      #expect(details.unmet == unmet, "\(unit)")
      #expect(details.state.isActive == (unmet == nil))
    }
  }
}
