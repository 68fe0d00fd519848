import Systemd
import Testing

/// What systemd tells of the commands before a service's own process, with the real systemd.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct UnitCommandTests {
  private let machine: UserManager
  private let systemd: SystemdManager
  private let unit: UnitName = "commands.service"

  init() throws {
    machine = try UserManager()
    systemd = try machine.connect()
  }

  private func commands() throws -> [UnitCommand] { try #require(try systemd.details(of: [unit])[unit]).startPre }

  @Test func aCommandHasBegunRunsAndHasEnded() throws {
    try machine.write(
      "commands.service",
      "[Service]\nTimeoutStartSec=70\nExecStartPre=true one\nExecStartPre=-false\nExecStartPre=sleep 300\nExecStart=sleep 1\n"
    )
    let before = try commands()
    #expect(before.map(\.path) == ["true", "false", "sleep"])
    #expect(before.map(\.arguments) == [["true", "one"], ["false"], ["sleep", "300"]])
    #expect(before.map(\.ignoresFailure) == [false, true, false])
    #expect(before.allSatisfy { $0.beganMicroseconds == 0 && !$0.isRunning && !$0.hasPassed })
    #expect(try systemd.details(of: [unit])[unit]?.startTimeoutMicroseconds == 70_000_000)

    let job = try systemd.start(unit)
    try waitUntil("the last one runs") { try commands().last?.isRunning == true }
    let during = try commands()
    #expect(during.map(\.hasPassed) == [true, false, false])
    #expect(during.map(\.isRunning) == [false, false, true])
    #expect(during[1].code == 1 && during[1].status == 1)
    #expect(during[2].pid > 0)
    let began = Double(during[0].beganMicroseconds) / 1e6
    #expect(began > 0 && Double(during[0].endedMicroseconds) / 1e6 >= began)

    _ = try systemd.stop(unit)
    #expect(try systemd.result(of: job) == "canceled")
    try waitUntil("it has ended") { try commands().last.map { !$0.isRunning && !$0.hasPassed } == true }
  }

  @Test func aStartWithoutALimitHasNone() throws {
    try machine.write("commands.service", "[Service]\nTimeoutStartSec=infinity\nExecStart=sleep 1\n")
    let details = try #require(try systemd.details(of: [unit])[unit])
    #expect(details.startTimeoutMicroseconds == nil)
    #expect(details.startPre.isEmpty)
  }
}
