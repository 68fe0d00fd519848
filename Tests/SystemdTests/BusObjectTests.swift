import Foundation
import Systemd
import TestSupport
import Testing

private let name = "org.mailboot1"
private let path = "/org/mailboot1"
private let interface = "org.mailboot1.Manager"

/// `busctl`, as a client that is not ours.
final class Busctl {
  private let process = Process()
  private let output: String

  init(_ bus: PrivateBus, _ arguments: [String]) throws {
    output = try bus.directory.write("busctl." + UUID().uuidString, "")
    let handle = try #require(FileHandle(forWritingAtPath: output))
    process.executableURL = URL(fileURLWithPath: "/usr/bin/busctl")
    process.arguments = ["--address=\(bus.address)", "--timeout=20"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  func wait() -> (status: Int32, output: String) {
    process.waitUntilExit()
    return (process.terminationStatus, (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
  }
}

@Suite struct BusObjectTests {
  private let bus: PrivateBus
  private let server: BusEndpoint
  private let object = BusObject(
    path: path, interface: interface, methods: ["Unlock": "ha{sv}", "Lock": "a{sv}"],
    introspection: """
      <node><interface name="\(interface)"><method name="Lock"><arg type="a{sv}" direction="in"/></method>
      <property name="State" type="s" access="read"/></interface></node>
      """)

  init() throws {
    bus = try PrivateBus()
    server = try bus.connect()
    try server.requestName(name)
  }

  /// Runs busctl with the object serving, and with `Lock` answered by its number of options.
  private func busctl(_ arguments: String...) throws -> (status: Int32, output: String) {
    let busctl = try Busctl(bus, arguments)
    let end = now() + 30_000_000
    while busctl.isRunning, now() < end {
      while let message = try server.nextMessage() {
        guard case .call(let call) = message else { continue }
        if let ours = try object.answer(call, properties: { ["State": .string("locked"), "Since": .uint64(5)] }) {
          try ours.reply(.value(.uint32(UInt32(try ours.readDictionary().count))))
        }
      }
      pollAll([server], until: now() + 50_000)
    }
    return busctl.wait()
  }

  @Test func ownMethodWithTheRightArgumentsIsLeftToTheCaller() throws {
    #expect(try busctl("call", name, path, interface, "Lock", "a{sv}", "1", "kill", "b", "true") == (0, "u 1\n"))
  }

  @Test func propertiesAreReadOneByOneAndTogether() throws {
    #expect(try busctl("get-property", name, path, interface, "State", "Since") == (0, "s \"locked\"\nt 5\n"))
    let all = try busctl("call", name, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
    #expect(all == (0, "a{sv} 2 \"Since\" t 5 \"State\" s \"locked\"\n"))
  }

  @Test func introspectionShowsMethodsAndProperties() throws {
    let (status, output) = try busctl("introspect", name, path, interface)
    #expect(status == 0 && output.contains(".Lock") && output.contains("\"locked\""))
  }

  @Test func objectIsFoundFromTheRoot() throws {
    let (status, output) = try busctl("tree", "--list", name)
    #expect(status == 0 && output.split(separator: "\n").contains("/org/mailboot1"))
  }

  @Test(arguments: [
    (
      [path, "org.freedesktop.DBus.Properties", "Set", "ssv", interface, "State", "s", "x"],
      BusErrorName.propertyReadOnly
    ),
    ([path, "org.freedesktop.DBus.Properties", "Set", "ssv", interface, "No", "s", "x"], BusErrorName.unknownProperty),
    ([path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, "No"], BusErrorName.unknownProperty),
    ([path, "org.freedesktop.DBus.Properties", "Get", "ss", "org.other", "State"], BusErrorName.unknownInterface),
    ([path, "org.freedesktop.DBus.Properties", "GetAll", "s", "org.other"], BusErrorName.unknownInterface),
    ([path, "org.freedesktop.DBus.Properties", "GetAll", "u", "1"], BusErrorName.invalidArguments),
    ([path, interface, "Lock", "s", "now"], BusErrorName.invalidArguments),
    ([path, interface, "Unlock", "a{sv}", "0"], BusErrorName.invalidArguments),
    ([path, interface, "Explode"], BusErrorName.unknownMethod),
    ([path, "org.other", "Lock", "a{sv}", "0"], BusErrorName.unknownInterface),
    (["/org/other", interface, "Lock", "a{sv}", "0"], BusErrorName.unknownObject),
    (["/org/other", "org.freedesktop.DBus.Introspectable", "Introspect"], BusErrorName.unknownObject),
  ])
  func whatDoesNotExistIsRefusedByItsStandardName(call: [String], error: String) throws {
    // busctl shows only the text of an error: our own client sees its name.
    let client = try bus.connect()
    let cookie = try client.send(name, call[0], call[1], call[2], arguments(call))
    let result = try reply(to: cookie, on: client, serving: server) { call in
      let left = try object.answer(call) { ["State": .string("locked")] }
      #expect(left == nil)
    }
    #expect(result.error?.name == error)
  }

  private func arguments(_ call: [String]) -> [BusArgument] {
    switch call.dropFirst(3).first {
    case "ssv": [.string(call[4]), .string(call[5]), .variant(.string(call[7]))]
    case "ss": [.string(call[4]), .string(call[5])]
    case "s": [.string(call[4])]
    case "u": [.value(.uint32(1))]
    case "a{sv}": [.dictionary([:])]
    default: []
    }
  }

  @Test func whatNobodyWaitsForIsNotReadAtAll() throws {
    let busctl = try Busctl(
      bus,
      ["--expect-reply=no", "call", name, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface])
    let call = try nextMessage(on: server) { if case .call(let call) = $0 { call } else { nil } }
    var isRead = false
    let left = try object.answer(call) {
      isRead = true
      return [:]
    }
    #expect(left == nil && !isRead)
    #expect(busctl.wait().status == 0)
  }

  @Test func callThatWantsNoReplyGetsNone() throws {
    let busctl = try Busctl(bus, ["--expect-reply=no", "call", name, path, interface, "Lock", "a{sv}", "0"])
    let call = try nextMessage(on: server) { if case .call(let call) = $0 { call } else { nil } }
    #expect(!call.expectsReply)
    try call.replyError(BusErrorName.failed, "unheard")
    #expect(busctl.wait().status == 0)
  }
}
