import Foundation
import Systemd
import Testing

private let name = "org.mailboot1"
private let path = "/org/mailboot1"
private let interface = "org.mailboot1.Manager"

@Suite struct BusConnectionTests {
  @Test func nameIsHadByOneConnectionAtATime() throws {
    let bus = try PrivateBus()
    var first: BusEndpoint? = try bus.connect()
    let second = try bus.connect()
    #expect(try second.owner(of: name) == nil)
    try first?.requestName(name)
    try first?.requestName(name)
    #expect(try second.owner(of: name) == first?.uniqueName())
    let error = #expect(throws: BusError.self) { try second.requestName(name) }
    #expect(error?.isNameTaken == true)
    first = nil
    try waitUntil("the name is free") { try second.owner(of: name) == nil }
    try second.requestName(name)
    try second.releaseName(name)
    #expect(try second.owner(of: name) == nil)
  }

  @Test func nameThatThePolicyRefusesIsDenied() throws {
    let bus = try PrivateBus()
    let error = #expect(throws: BusError.self) { try bus.connect().requestName(PrivateBus.forbiddenName) }
    #expect(error?.isAccessDenied == true && error?.isNameTaken == false)
  }

  @Test func missingBusIsReportedAsSuch() throws {
    let error = #expect(throws: BusError.self) { try BusEndpoint(address: "unix:path=/nonexistent/bus") }
    #expect(error?.isNoBus == true && error?.isDisconnected == false)
  }

  @Test func peerIsWhoOpenedTheConnection() throws {
    let bus = try PrivateBus()
    let (server, client) = (try bus.connect(), try bus.connect())
    try server.requestName(name)
    #expect(try client.peer(of: name) == BusPeer(uid: geteuid(), pid: UInt32(getpid())))
    let error = #expect(throws: BusError.self) { try client.peer(of: "org.mailboot1.nobody") }
    #expect(error?.isNoOwner == true)
  }

  @Test func callerThatIsGoneIsNoOwnerAndAnsweringItDoesNoHarm() throws {
    let bus = try PrivateBus()
    let server = try bus.connect()
    try server.requestName(name)
    let busctl = try Busctl(bus, ["--timeout=1", "call", name, path, interface, "Lock"])
    let call = try nextMessage(on: server) { if case .call(let call) = $0 { call } else { nil } }
    #expect(try call.peer().uid == geteuid())
    // Its time is up before it is answered.
    #expect(busctl.wait().status != 0)
    try waitUntil("the caller is gone") {
      do {
        _ = try call.peer()
        return false
      } catch let error as BusError {
        #expect(error.isNoOwner)
        return true
      }
    }
    try call.reply()
    #expect(try server.owner(of: name) == server.uniqueName())
  }

  @Test func calledSideThatGoesAwayIsNoReply() throws {
    let bus = try PrivateBus()
    let client = try bus.connect()
    let cookie: BusEndpoint.Cookie
    do {
      let server = try bus.connect()
      try server.requestName(name)
      cookie = try client.send(name, path, interface, "Lock", timeoutMicroseconds: .max)
      _ = try nextMessage(on: server) { message -> Bool? in
        guard case .call(let call) = message else { return nil }
        // As if the process died: the connection ends before the call is let go.
        _ = Unmanaged.passRetained(call)
        shutdown(server.descriptor, Int32(SHUT_RDWR))
        return true
      }
    }
    #expect(try reply(to: cookie, on: client).error?.isNoReply == true)
  }

  @Test func deathOfTheBusIsADisconnectForEveryOperation() throws {
    let bus = try PrivateBus()
    let endpoint = try bus.connect()
    try endpoint.requestName(name)
    let cookie = try endpoint.send(name, path, interface, "Lock")
    let call = try nextMessage(on: endpoint) { if case .call(let call) = $0 { call } else { nil } }
    bus.stop()
    var error = #expect(throws: BusError.self) {
      _ = try reply(to: cookie, on: endpoint)
    }
    #expect(error?.isDisconnected == true)
    // A loop that goes on learns of it at once instead of waiting.
    #expect(endpoint.timeoutMicroseconds() == 0)
    error = #expect(throws: BusError.self) { try endpoint.nextMessage() }
    #expect(error?.isDisconnected == true)
    error = #expect(throws: BusError.self) { try endpoint.owner(of: name) }
    #expect(error?.isDisconnected == true)
    error = #expect(throws: BusError.self) { try endpoint.emit(path, interface, "Progress", [.string("")]) }
    #expect(error?.isDisconnected == true)
    error = #expect(throws: BusError.self) { try call.reply() }
    #expect(error?.isDisconnected == true)
  }

  @Test func signalsArriveOnlyWhileTheyAreAskedFor() throws {
    let bus = try PrivateBus()
    let (server, client) = (try bus.connect(), try bus.connect())
    let rule = "type='signal',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path='\(path)'"
    /// The states that arrive until the signal that is sent just to the client.
    func states(emitting state: String) throws -> [[String: BusValue]] {
      try server.emitPropertiesChanged(
        path, interface: interface, ["State": .string(state), "Since": .uint64(1)], invalidated: ["Status"])
      try server.emit(path, interface, "End", [], to: try client.uniqueName())
      var states: [[String: BusValue]] = []
      return try nextMessage(on: client, serving: server) { message in
        guard case .signal(let signal) = message else { return nil }
        if signal.isSignal(interface, "End") { return states }
        guard signal.isSignal("org.freedesktop.DBus.Properties", "PropertiesChanged") else { return nil }
        #expect(try signal.signature == "sa{sv}as" && signal.readString() == interface)
        states.append(try signal.readDictionary())
        #expect(try signal.readStrings() == ["Status"])
        return nil
      }
    }
    #expect(try states(emitting: "locked") == [])
    try client.addMatch(rule)
    #expect(try states(emitting: "opening") == [["State": .string("opening"), "Since": .uint64(1)]])
    try client.removeMatch(rule)
    #expect(try states(emitting: "ready") == [])
  }

  @Test func malformedMatchRuleIsRefused() throws {
    let bus = try PrivateBus()
    #expect(throws: BusError.self) { try bus.connect().addMatch("nonsense") }
  }

  @Test func messageThatArrivesDuringAnotherCallIsKept() throws {
    let bus = try PrivateBus()
    let (server, client) = (try bus.connect(), try bus.connect())
    try server.emit(path, interface, "Progress", [.string("kept")], to: try client.uniqueName())
    try server.flush()
    // The daemon delivers in order: the signal comes before the second answer at the latest.
    _ = try server.owner(of: name)
    _ = try client.owner(of: name)
    #expect(client.timeoutMicroseconds() == 0)
    let text = try nextMessage(on: client) { message -> String? in
      guard case .signal(let signal) = message, signal.isSignal(interface, "Progress") else { return nil }
      return try signal.readString()
    }
    #expect(text == "kept")
  }

  @Test func flushSendsMoreThanTheSocketHolds() throws {
    let bus = try PrivateBus()
    let (server, client) = (try bus.connect(), try bus.connect())
    let text = String(repeating: "x", count: 4_000_000)
    try server.emit(path, interface, "Progress", [.string(text)], to: try client.uniqueName())
    try server.flush()
    #expect(server.pollEvents() & Int16(POLLOUT) == 0)
    let received = try nextMessage(on: client) { message -> String? in
      guard case .signal(let signal) = message, signal.isSignal(interface, "Progress") else { return nil }
      return try signal.readString()
    }
    #expect(received == text)
  }
}
