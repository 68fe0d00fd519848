import Foundation
import Systemd
import TestSupport
import Testing

/// Root's `mailboot unlock`, which does the work itself.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct LocalRunTests {
  private static let unit: UnitName = "command.service"

  /// Calls it beside the service.
  /// - Returns: what it says, to be read to its end.
  private func begin(_ arguments: String, _ rig: WaitServiceRig) throws -> OwnedEnd {
    let (inputRead, inputWrite) = try makePipe()
    let (outputRead, outputWrite) = try makePipe()
    let command = TransientService(
      name: Self.unit, description: "unlock", executable: "/bin/sh",
      arguments: ["-c", "exec \(try builtProgram("mailboot")) unlock --stdin \(arguments) 2>&1"],
      standardInput: inputRead.descriptor, standardOutput: outputWrite.descriptor)
    #expect(try rig.systemd.result(of: rig.systemd.start(command)) == "done")
    outputWrite.close()
    inputWrite.write(WaitServiceRig.passphrase)
    inputWrite.close()
    return outputRead
  }

  @Test func aServiceThatHangsIsNotWaitedFor() throws {
    let rig = try WaitServiceRig(isStandard: true)
    try rig.systemd.kill("mailboot.service", .main, signal: SIGSTOP)
    let said = try begin("", rig).readToEnd()
    #expect(said.contains("the work is done without it") && said.contains("ready in "), "\(said)")
    try rig.systemd.kill("mailboot.service", .main, signal: SIGCONT)
    try waitUntil("the service sees it") { try rig.state == "ready" }
  }

  @Test func whoInsistsLeavesATakingBackHalfDone() throws {
    let rig = try WaitServiceRig(
      configuration: { _ in "[[service]]\nname = \"late\"\nafter = [\"demo\"]\n" }, isStandard: true)
    let unit = "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=sleep 1000\n"
    try rig.machine.write("demo.service", unit + "ExecStop=sleep 300\nTimeoutStopSec=300\n")
    try rig.machine.write("late.service", unit + "ExecStartPre=sleep 5\n")
    try rig.systemd.reload()
    let output = try begin("--local", rig)
    func interrupt() throws { try rig.systemd.kill(Self.unit, .main, signal: SIGINT) }
    try waitUntil("the second service starts") { try rig.systemd.activeState(of: "late.service") == "activating" }
    try interrupt()
    try waitUntil("the first is stopped") { try rig.systemd.activeState(of: "demo.service") == "deactivating" }
    let begun = now()
    try interrupt()
    usleep(500_000)
    try interrupt()
    let said = output.readToEnd()
    #expect(now() - begun < 20_000_000)
    #expect(said.contains("Ctrl-C once more leaves it"), "\(said)")
    #expect(said.contains("error: left half done"), "\(said)")
    // Whoever comes next finds no lock and goes on from there.
    try waitUntil("it is busy no longer") { try rig.state == "degraded" }
  }
}
