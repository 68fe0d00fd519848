import Foundation
import Linux
import Systemd
import Testing

/// With the real systemd.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct TransientServiceTests {
  private let machine: UserManager
  private let systemd: SystemdManager
  private let unit: UnitName = "mailboot-run-1.service"

  init() throws {
    machine = try UserManager()
    systemd = try machine.connect()
  }

  private func shell(_ script: String, input: OwnedEnd? = nil, output: OwnedEnd? = nil) -> TransientService {
    TransientService(
      name: unit, description: "test", executable: "/bin/sh", arguments: ["-c", script, "sh"],
      standardInput: input?.descriptor, standardOutput: output?.descriptor, timeoutStopMicroseconds: 5_000_000)
  }

  @Test func programReadsOurDescriptorAndWritesToOurPipeButItsErrorsDoNot() throws {
    let (inputRead, inputWrite) = try makePipe()
    let (outputRead, outputWrite) = try makePipe()
    var service = shell(#"cat; echo lost >&2; printf '|%s' "$@" "$OURS""#, input: inputRead, output: outputWrite)
    // None of it is expanded.
    service.arguments += ["$HOME", "%n", "a b", #"\"'"#, ""]
    service.environment = ["OURS=value with $HOME and %n"]
    service.syslogIdentifier = "mailboot"
    #expect(try systemd.result(of: systemd.start(service)) == "done")
    inputRead.close()
    outputWrite.close()
    inputWrite.write("passphrase")
    inputWrite.close()
    #expect(outputRead.readToEnd() == #"passphrase|$HOME|%n|a b|\"'||value with $HOME and %n"#)
    try waitUntil("the unit is forgotten") { try systemd.states(of: [unit])[unit]?.isNotFound == true }
  }

  @Test func failedRunIsForgottenToo() throws {
    _ = try systemd.start(shell("exit 3"))
    try waitUntil("the unit is forgotten") { try systemd.states(of: [unit])[unit]?.isNotFound == true }
    #expect(try systemd.result(of: systemd.start(shell("exit 0"))) == "done")
  }

  @Test func programThatCannotBeRunFailsTheJob() throws {
    var service = shell("")
    service.executable = "/nonexistent"
    #expect(try systemd.result(of: systemd.start(service)) == "failed")
  }

  @Test func nameInUseIsRefused() throws {
    #expect(try systemd.result(of: systemd.start(shell("sleep 100"))) == "done")
    let error = #expect(throws: BusError.self) { try systemd.start(shell("sleep 100")) }
    #expect(error?.isUnitExists == true)
    #expect(try systemd.result(of: systemd.stop(unit)) == "done")
  }

  @Test func timeLimitEndsAllItsProcesses() throws {
    let (read, write) = try makePipe()
    // The grandchild holds the pipe open as long as it lives.
    var service = shell("(trap '' TERM; setsid sleep 100) & sleep 100", output: write)
    service.runtimeMaxMicroseconds = 300_000
    service.timeoutStopMicroseconds = 300_000
    let start = now()
    #expect(try systemd.result(of: systemd.start(service)) == "done")
    write.close()
    #expect(read.readToEnd() == "")
    #expect(now() - start > 300_000 && now() - start < 20_000_000)
  }

  @Test func signalReachesTheProgram() throws {
    let (read, write) = try makePipe()
    let script = "trap 'echo got it; exit' USR1; echo ready; while :; do sleep 0.1; done"
    #expect(try systemd.result(of: systemd.start(shell(script, output: write))) == "done")
    write.close()
    var greeting = [UInt8](repeating: 0, count: 6)
    #expect(Glibc.read(read.descriptor, &greeting, 6) == 6)
    try systemd.kill(unit, .main, signal: SIGUSR1)
    #expect(read.readToEnd() == "got it\n")
  }

  @Test func signalToUnknownUnitIsNoSuchUnit() throws {
    let error = #expect(throws: BusError.self) { try systemd.kill("nothing.service", signal: SIGTERM) }
    #expect(error?.isNoSuchUnit == true)
  }

  @Test func furtherPropertiesAreSet() throws {
    let (read, write) = try makePipe()
    var service = shell("pwd; umask", output: write)
    service.extra = [UnitProperty("WorkingDirectory", .string("/usr")), UnitProperty("UMask", .uint32(0o027))]
    #expect(try systemd.result(of: systemd.start(service)) == "done")
    write.close()
    #expect(read.readToEnd() == "/usr\n0027\n")
  }

  @Test func unknownPropertyIsRefusedAndStartsNothing() throws {
    var service = shell("")
    service.extra = [UnitProperty("NoSuchProperty", .bool(true))]
    #expect(throws: BusError.self) { try systemd.start(service) }
    #expect(try systemd.states(of: [unit])[unit]?.isNotFound == true)
  }

  @Test func serviceStartsOverTheBusDaemonToo() throws {
    _ = try machine.connectToBus()
    let overBus = try SystemdManager(address: machine.busAddress, isBusClient: true)
    let (read, write) = try makePipe()
    #expect(try overBus.result(of: overBus.start(shell("echo over the bus", output: write))) == "done")
    write.close()
    #expect(read.readToEnd() == "over the bus\n")
  }

  @Test func stateOfTheSystemIsTold() throws {
    #expect(try systemd.systemState() == "running")
    #expect(try machine.connectToBus().systemState() == "running")
  }
}
