import Foundation
import Systemd
import Testing

private let path = "/org/mailboot1"
private let interface = "org.mailboot1.Manager"
private let name = "org.mailboot1"

/// A bus with a server that has the name, and a client.
private struct Pair {
  let bus: PrivateBus
  let server: BusEndpoint
  let client: BusEndpoint

  init() throws {
    bus = try PrivateBus()
    server = try bus.connect()
    client = try bus.connect()
    try server.requestName(name)
  }

  func send(_ member: String, _ arguments: [BusArgument] = [], timeout: UInt64 = 30_000_000) throws
    -> BusEndpoint.Cookie
  {
    try client.send(name, path, interface, member, arguments, timeoutMicroseconds: timeout)
  }

  /// The call as it reaches the server.
  func received() throws -> IncomingCall {
    try nextMessage(on: server) { if case .call(let call) = $0 { call } else { nil } }
  }
}

@Suite struct BusCallTests {
  @Test func callCarriesDescriptorAndOptionsOfEachType() throws {
    let pair = try Pair()
    let (read, write) = try makePipe()
    let options: [String: BusValue] = [
      "string": .string("ä"), "strings": .strings(["a", ""]), "path": .objectPath("/a/b"), "bool": .bool(true),
      "int32": .int32(.min), "uint32": .uint32(.max), "int64": .int64(.min), "uint64": .uint64(.max),
      "double": .double(-0.5), "bytes": .bytes([0, 255]), "job": .numberedPath(7, "/job/7"),
    ]
    let cookie = try pair.send("Unlock", [.descriptor(read.descriptor), .dictionary(options)])
    read.close()
    write.write("passphrase")
    write.close()
    let result = try reply(to: cookie, on: pair.client, serving: pair.server) { call in
      #expect(call.path == path && call.interface == interface && call.member == "Unlock")
      #expect(try call.signature == "ha{sv}" && call.sender == pair.client.uniqueName())
      let descriptor = try call.readDescriptor()
      #expect(fcntl(descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
      #expect(readAll(descriptor.rawValue) == "passphrase")
      #expect(try call.readDictionary() == options)
      try call.reply(.string("done"))
    }
    #expect(try result.get().readString() == "done")
  }

  @Test func replyCarriesDescriptorVariantAndProperties() throws {
    let pair = try Pair()
    let cookie = try pair.send("Give")
    let (read, write) = try makePipe()
    let result = try reply(to: cookie, on: pair.client, serving: pair.server) { call in
      try call.reply(.descriptor(read.descriptor), .variant(.uint32(7)), .dictionary(["State": .string("locked")]))
    }.get()
    write.write("from the server")
    write.close()
    let descriptor = try result.readDescriptor()
    #expect(readAll(descriptor.rawValue) == "from the server")
    #expect(try result.readVariant() == .uint32(7))
    #expect(try result.readDictionary() == ["State": .string("locked")])
  }

  @Test func descriptorIsClosedWithItsOwner() throws {
    let pair = try Pair()
    let (read, write) = try makePipe()
    _ = try pair.send("Unlock", [.descriptor(read.descriptor)])
    read.close()
    do {
      let call = try pair.received()
      _ = try call.readDescriptor()
      try call.reply()
    }
    signal(SIGPIPE, SIG_IGN)
    try waitUntil("no reader is left") { Glibc.write(write.descriptor, "x", 1) == -1 && errno == EPIPE }
  }

  @Test func argumentOfAnotherTypeIsAnErrorNotAValue() throws {
    let pair = try Pair()
    _ = try pair.send("Unlock", [.string("no descriptor")])
    let call = try pair.received()
    #expect(throws: BusError.self) { _ = try call.readDescriptor() }
    #expect(throws: BusError.self) { _ = try call.readUInt32() }
    #expect(try call.readString() == "no descriptor")
    #expect(throws: BusError.self) { _ = try call.readString() }
  }

  @Test func valueOfUnknownTypeIsSkippedAndCannotBeSent() throws {
    let pair = try Pair()
    #expect(throws: BusError.self) { try pair.send("Unlock", [.variant(.other(signature: "ai"))]) }
    let busctl = try Busctl(
      pair.bus,
      ["call", name, path, interface, "Lock", "a{sv}", "2", "odd", "a(si)", "1", "x", "5", "kill", "b", "true"])
    let call = try pair.received()
    #expect(try call.readDictionary() == ["odd": .other(signature: "a(si)"), "kill": .bool(true)])
    try call.reply()
    #expect(busctl.wait().status == 0)
  }

  @Test func eightMegabytesTravelBothWays() throws {
    let pair = try Pair()
    let text = String(repeating: "0123456789abcdef", count: 512 * 1024)
    let cookie = try pair.send("Echo", [.string(text)])
    let result = try reply(to: cookie, on: pair.client, serving: pair.server) { call in
      try call.reply(.string(try call.readString()))
    }
    #expect(try result.get().readString() == text)
  }

  @Test func errorReplyKeepsItsNameAndText() throws {
    let pair = try Pair()
    let cookie = try pair.send("Unlock")
    let result = try reply(to: cookie, on: pair.client, serving: pair.server) { call in
      try call.replyError("org.mailboot1.Error.Busy", "another run is busy: 100%s")
    }
    #expect(result.error?.name == "org.mailboot1.Error.Busy" && result.error?.message == "another run is busy: 100%s")
  }

  @Test func callIsAnsweredOnce() throws {
    let pair = try Pair()
    _ = try pair.send("Lock")
    let call = try pair.received()
    try call.reply()
    #expect(throws: BusError.self) { try call.reply() }
    #expect(throws: BusError.self) { try call.replyError(BusErrorName.failed, "") }
  }

  @Test func droppedCallIsAnsweredWithAnError() throws {
    let pair = try Pair()
    let cookie = try pair.send("Lock")
    _ = try pair.received()
    #expect(try reply(to: cookie, on: pair.client).error?.name == BusErrorName.failed)
  }

  @Test func callMayBeAnsweredAfterLaterOnes() throws {
    let pair = try Pair()
    let (slow, quick) = (try pair.send("Slow"), try pair.send("Quick"))
    let held = try pair.received()
    #expect(try reply(to: quick, on: pair.client, serving: pair.server) { try $0.reply(.string("quick")) }.error == nil)
    try held.reply(.string("slow"))
    #expect(try reply(to: slow, on: pair.client).get().readString() == "slow")
  }

  @Test func progressArrivesWhileTheAnswerIsAwaited() throws {
    let pair = try Pair()
    try pair.client.addMatch("type='signal',sender='\(name)',interface='\(interface)',member='Progress'")
    let cookie = try pair.send("Unlock", timeout: .max)
    let call = try pair.received()
    for step in ["open", "mount"] { try pair.server.emit(path, interface, "Progress", [.string(step)]) }
    try call.reply()
    var steps: [String] = []
    _ = try nextMessage(on: pair.client) { message -> Bool? in
      switch message {
      case .signal(let signal) where signal.isSignal(interface, "Progress"):
        #expect(try signal.sender == pair.server.uniqueName() && signal.path == path)
        steps.append(try signal.readString())
        return nil
      case .reply(cookie, let result): return try result.get().signature.isEmpty
      default: return nil
      }
    }
    #expect(steps == ["open", "mount"])
  }

  @Test func lateAnswerIsReportedOnceAsTimeout() throws {
    let pair = try Pair()
    let start = now()
    let cookie = try pair.send("Unlock", timeout: 200_000)
    let call = try pair.received()
    #expect(try #require(pair.client.timeoutMicroseconds()) <= start + 300_000)
    #expect(try reply(to: cookie, on: pair.client).error?.isTimeout == true)
    #expect(now() - start >= 200_000)
    try call.reply()
    let next = try pair.send("Verify")
    let answer = { (call: IncomingCall) in try call.reply() }
    let answered = try nextMessage(
      on: pair.client, serving: pair.server, answering: answer,
      { message -> BusEndpoint.Cookie? in
        if case .reply(let answered, _) = message { answered } else { nil }
      })
    #expect(answered == next)
  }

  @Test func waitedForCallTimesOutAndIsForgotten() throws {
    let pair = try Pair()
    let error = #expect(throws: BusError.self) {
      _ = try pair.client.call(name, path, interface, "Verify", timeoutMicroseconds: 100_000)
    }
    #expect(error?.isTimeout == true)
  }

  @Test func waitedForCallThrowsTheOtherSidesError() throws {
    let pair = try Pair()
    let error = #expect(throws: BusError.self) {
      _ = try pair.client.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NoSuchMethod")
    }
    #expect(error?.name == BusErrorName.unknownMethod && error?.message.isEmpty == false)
  }

  /// sd-bus answers `Peer` by itself: whoever asks without end must not keep the server from all else.
  @Test func whatIsAnsweredWithoutUsGivesUsATurnNowAndThen() throws {
    let pair = try Pair()
    // What the daemon has said at the beginning.
    while try pair.server.nextMessage() != nil {}
    for _ in 0..<100 { _ = try pair.client.send(name, path, "org.freedesktop.DBus.Peer", "Ping") }
    try pair.client.flush()
    var answers = 0
    var turns = 0
    while answers < 100, turns < 1000 {
      let ready = pollfd(fd: pair.server.descriptor, events: pair.server.pollEvents(), revents: 0)
      var waiting = [ready]
      if pair.server.timeoutMicroseconds() != 0 { poll(&waiting, 1, 1000) }
      #expect(try pair.server.nextMessage().map { _ in true } == nil)
      turns += 1
      usleep(10_000)
      while let message = try pair.client.nextMessage() { if case .reply = message { answers += 1 } }
      if turns == 1 { #expect(answers < 100) }
    }
    #expect(answers == 100 && turns > 1)
  }

  @Test func callOfANameNobodyHasIsNoOwner() throws {
    let pair = try Pair()
    let cookie = try pair.client.send("org.mailboot1.nobody", path, interface, "Lock")
    #expect(try reply(to: cookie, on: pair.client).error?.isNoOwner == true)
  }
}
