import Foundation
import Systemd
import TestSupport
import Testing

/// Who calls the service, and what that means for others.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct WaitServiceCallerTests {
  private static let progress = "type='signal',interface='\(WaitServiceRig.interface)',member='Progress'"

  /// The error's name that a call ended with; empty: it ended well.
  private func outcome(_ cookie: BusEndpoint.Cookie, on client: BusEndpoint) throws -> String {
    String((try reply(to: cookie, on: client).error?.name ?? "").split(separator: ".").last ?? "")
  }

  /// The progress that has come to a connection, each as JSON.
  private func progress(on client: BusEndpoint) throws -> [String] {
    var lines: [String] = []
    while let message = try client.nextMessage() {
      if case .signal(let signal) = message, signal.member == "Progress" { lines.append(try signal.readString()) }
    }
    return lines
  }

  @Test func progressGoesToTheCallerAlone() throws {
    let rig = try WaitServiceRig()
    let listener = try rig.connect()
    try listener.addMatch(Self.progress)
    let client = try rig.connect()
    let call = try rig.unlock(on: client, "wrong")
    var heard: [String] = []
    let result = try nextMessage(on: client) { message -> String? in
      if case .signal(let signal) = message, signal.member == "Progress" { heard.append(try signal.readString()) }
      guard case .reply(call, let result) = message else { return nil }
      return result.error?.name ?? ""
    }
    #expect(result == "org.mailboot1.Error.PassphraseRefused")
    #expect(heard.contains { $0.contains("refused") }, "\(heard)")
    #expect(try progress(on: listener) == [])
  }

  @Test func ofARunThatNobodyCalledForNobodyHears() throws {
    let rig = try WaitServiceRig(configuration: { place in
      "[wait]\nkey-file = \"\(try place.write("key", "wrong", mode: 0o600))\"\n"
    })
    let listener = try rig.connect()
    try listener.addMatch(Self.progress)
    try listener.addMatch("type='signal',member='PropertiesChanged',path='\(WaitServiceRig.path)'")
    try waitUntil("the key file has been tried") {
      try rig.property("Status", on: rig.connect()).string?.contains("\"attempts_failed\": 1") ?? false
    }
    #expect(try progress(on: listener) == [])
  }

  @Test func aMembersGuessingHoldsUpNobodyElse() throws {
    let rig = try WaitServiceRig(hasMember: true)
    let address = rig.machine.busAddress
    let outcomes = try asNobody { [self] in
      let member = try BusEndpoint(address: address)
      return try (0..<4).map { _ in try outcome(guess(member), on: member) }
    }
    #expect(outcomes == ["PassphraseRefused", "PassphraseRefused", "PassphraseRefused", "TooSoon"])
    let root = try rig.connect()
    #expect(try outcome(rig.unlock(on: root), on: root) == "")
    try waitUntil("it is ready") { try rig.state == "ready" }
  }

  private func guess(_ client: BusEndpoint) throws -> BusEndpoint.Cookie {
    let (read, write) = try makePipe()
    write.write("wrong")
    write.close()
    return try client.send(
      WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Unlock",
      [.descriptor(read.descriptor), .dictionary(["via": .string("terminal")])], timeoutMicroseconds: 60_000_000)
  }

  /// One that hands over a pipe and writes nothing.
  @Test func aMembersRunThatHangsHoldsUpNothing() throws {
    let rig = try WaitServiceRig(hasMember: true)
    let address = rig.machine.busAddress
    let (read, write) = try makePipe()
    let descriptor = read.descriptor
    let second = try asNobody { [self] in
      let member = try BusEndpoint(address: address)
      for attempt in 0..<2 {
        let call = try member.send(
          WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Unlock",
          [.descriptor(descriptor), .dictionary([:])], timeoutMicroseconds: 60_000_000)
        if attempt == 1 { return try outcome(call, on: member) }
      }
      return ""
    }
    #expect(second == "Busy")
    let begun = now()
    let root = try rig.connect()
    #expect(try outcome(rig.unlock(on: root), on: root) == "")
    #expect(now() - begun < 9_000_000)
    write.close()
  }

  @Test func whatAMemberSaysOfItselfIsNotBelieved() throws {
    let rig = try WaitServiceRig(hasMember: true)
    let address = rig.machine.busAddress
    let result = try asNobody { [self] in
      let member = try BusEndpoint(address: address)
      let (read, write) = try makePipe()
      write.write(WaitServiceRig.passphrase)
      write.close()
      let call = try member.send(
        WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Unlock",
        [.descriptor(read.descriptor), .dictionary(["via": .string("terminal")])], timeoutMicroseconds: 60_000_000)
      return try outcome(call, on: member)
    }
    #expect(result == "")
    let status = try rig.property("Status", on: rig.connect()).string ?? ""
    #expect(status.contains("\"by\": \"nobody\"") && status.contains("\"via\": \"bus\""), "\(status)")
  }

  @Test func aMemberMayHaveItVerifiedOnceAMinuteAndRootAlways() throws {
    let rig = try WaitServiceRig(hasMember: true)
    let address = rig.machine.busAddress
    let verify = { @Sendable [self] () throws -> String in
      let client = try BusEndpoint(address: address)
      return try outcome(
        client.send(WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Verify"), on: client)
    }
    // Locked there is nothing to verify.
    #expect(try asNobody(verify) == "VerificationFailed")
    #expect(try asNobody(verify) == "TooSoon")
    #expect(try verify() == "VerificationFailed")
    #expect(try verify() == "VerificationFailed")
  }

  @Test func cancelTakesBackOnlyWhatTheCallerHasBegun() throws {
    let rig = try WaitServiceRig()
    let (client, other) = (try rig.connect(), try rig.connect())
    let call = try rig.unlock(on: client)
    try waitUntil("the run has begun") { try rig.property("State", on: other).string != "locked" }
    _ = try other.call(WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Cancel")
    #expect(try outcome(call, on: client) == "")
    #expect(try rig.state == "ready")
  }

  @Test func aRunOutlivesTheServiceAndItsCallerIsTold() throws {
    let rig = try WaitServiceRig()
    let client = try rig.connect()
    let call = try rig.unlock(on: client)
    try waitUntil("the run has begun") { try rig.property("State", on: rig.connect()).string != "locked" }
    #expect(try rig.systemd.result(of: rig.systemd.stop("mailboot.service")) == "done")
    #expect(try outcome(call, on: client) == "ServiceEnded")
    #expect(try rig.systemd.result(of: rig.systemd.start("mailboot.service")) == "done")
    try waitUntil("the run has come to its end") { try rig.state == "ready" }
  }

  @Test func aServiceWhoseProgramWasReplacedStillHasRunsDone() throws {
    let rig = try WaitServiceRig(program: { place in
      for name in ["mailboot", "mailboot-worker"] {
        try FileManager.default.copyItem(atPath: builtProgram(name), toPath: place.file(name))
      }
      return place.file("mailboot")
    })
    // As dpkg does it.
    try FileManager.default.copyItem(atPath: rig.place.file("mailboot"), toPath: rig.place.file("mailboot.dpkg-new"))
    #expect(rename(rig.place.file("mailboot.dpkg-new"), rig.place.file("mailboot")) == 0)
    let client = try rig.connect()
    #expect(try outcome(rig.unlock(on: client), on: client) == "")
  }

  @Test func whatSomebodyTakesBackHimselfIsNotAnnouncedAsFailed() throws {
    let rig = try WaitServiceRig()
    let client = try rig.connect()
    let call = try rig.unlock(on: client)
    try waitUntil("services start") { try rig.property("State", on: rig.connect()).string == "starting" }
    _ = try client.call(WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface, "Cancel")
    #expect(try outcome(call, on: client) == "Interrupted")
    // One that really fails is announced, and so whatever was announced before it has been.
    try rig.machine.write(
      "demo.service", "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=/nonexistent\n")
    try rig.systemd.reload()
    #expect(try outcome(rig.unlock(on: client), on: client) == "ServiceFailed")
    try waitUntil("the failure is announced") { try rig.notified().contains("failed locked") }
    #expect(try rig.notified().filter { $0.hasPrefix("failed") }.count == 1)
  }
}
