import MachineKit
import Testing

/// That tests which share a machine do not see each other's traces.
@Suite(.serialized, .machine(.debian12))
struct SharedMachineTests {
  @Test(arguments: ["first", "second"])
  func eachTestFindsTheMachineInItsBeginning(_ turn: String) async throws {
    let machine = try SharedMachine.machine
    #expect(try await machine.run("test -e /root/trace").status == 1)
    try await machine.succeed("echo \(turn) >/root/trace; sync")
  }

  @Test func aTestMayLeaveTheMachineOff() async throws {
    try await SharedMachine.machine.powerCut()
  }

  @Test func theNextTestFindsItOn() async throws {
    #expect(try await SharedMachine.machine.run("test -e /root/trace").status == 1)
  }
}
