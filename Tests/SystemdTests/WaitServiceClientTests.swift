import Foundation
import Systemd
import TestSupport
import Testing

/// `mailboot unlock` of a member of the group, with a service that is the test's.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct WaitServiceClientTests {
  private let machine: UserManager
  private let service: BusEndpoint

  init() throws {
    machine = try UserManager()
    for name in ["redis-server", "rspamd", "dovecot", "postfix"] {
      try machine.write("\(name).service", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=sleep 1000\n")
    }
    service = try machine.connectToBus()
    try service.requestName(WaitServiceRig.name)
  }

  private func begin() throws -> (process: Process, errors: FileHandle) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    process.arguments = [
      "--reuid", "65534", "--clear-groups", try builtProgram("mailboot"), "unlock", "--stdin",
    ]
    process.environment = ["PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": machine.busAddress]
    let (input, errors) = (Pipe(), Pipe())
    (process.standardInput, process.standardError) = (input, errors)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data("secret".utf8))
    try input.fileHandleForWriting.close()
    return (process, errors.fileHandleForReading)
  }

  /// The next call of a method; others are passed over.
  private func call(_ member: String) throws -> IncomingCall {
    try nextMessage(on: service) { message in
      if case .call(let call) = message, call.member == member { call } else { nil }
    }
  }

  private func said(_ errors: FileHandle) -> String {
    String(decoding: errors.readDataToEndOfFile(), as: UTF8.self)
  }

  @Test func aSecondInterruptEndsTheWaitForAServiceThatDoesNothing() throws {
    let (process, errors) = try begin()
    let unlock = try call("Unlock")
    kill(process.processIdentifier, SIGINT)
    _ = try call("Cancel")
    usleep(200_000)
    #expect(process.isRunning, "the service is given time to take it back")
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(said(errors).contains("left to the service"))
    try unlock.reply()
  }

  @Test func tooSoonIsNoRefusedPassphrase() throws {
    let (process, errors) = try begin()
    try call("Unlock").replyError("org.mailboot1.Error.TooSoon", "the next one is taken in 4 s")
    process.waitUntilExit()
    #expect(process.terminationStatus == 15)
    #expect(said(errors).contains("error: the next one is taken in 4 s"))
  }

  @Test func aServiceThatGoesAwayLeavesItsRunToBeWatched() throws {
    let (process, errors) = try begin()
    try call("Unlock").replyError("org.mailboot1.Error.ServiceEnded", "the service ends")
    process.waitUntilExit()
    let said = said(errors)
    // Nothing came of it here.
    #expect(process.terminationStatus == 1 && said.contains("what it has begun goes on"), "\(said)")
    #expect(said.contains("nothing is known of what it has begun"), "\(said)")
  }

  /// As the login shell of a console it is the first process of its session: nobody could continue it.
  @Test func controlZAtTheConsolesPromptIsPassedOver() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    let mailboot = try builtProgram("mailboot")
    process.arguments = ["-qec", "exec setpriv --reuid 65534 --clear-groups \(mailboot) unlock", "/dev/null"]
    process.environment = [
      "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "TERM": "dumb", "DBUS_SYSTEM_BUS_ADDRESS": machine.busAddress,
    ]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    let limit = process.processIdentifier
    DispatchQueue.global().asyncAfter(deadline: .now() + 30) { kill(limit, SIGKILL) }
    var shown = ""
    func awaitPrompts(_ count: Int) throws {
      while shown.components(separatedBy: "Passphrase of the vault: ").count <= count {
        let data = output.fileHandleForReading.availableData
        try #require(!data.isEmpty, "it has ended: \(shown)")
        shown += String(decoding: data, as: UTF8.self)
      }
    }
    try awaitPrompts(1)
    try input.fileHandleForWriting.write(contentsOf: Data("half\u{1A}".utf8))
    try awaitPrompts(2)
    try input.fileHandleForWriting.write(contentsOf: Data("secret\n".utf8))
    let unlock = try call("Unlock")
    let descriptor = try unlock.readDescriptor()
    #expect(readAll(descriptor.rawValue) == "secret")
    try unlock.replyError("org.mailboot1.Error.Busy", "enough")
    process.waitUntilExit()
  }
}
