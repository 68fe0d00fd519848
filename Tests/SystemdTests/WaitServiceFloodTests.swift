import Foundation
import Systemd
import Testing

/// Four clients who flood the service as fast as the bus takes it.
@Suite(.enabled(if: UserManager.canRun, "only root can give systemd a /run of its own"))
struct WaitServiceFloodTests {
  @Test func aFloodHoldsUpNeitherTheServiceNorAnybodyElse() throws {
    let rig = try WaitServiceRig(watchdog: 2)
    let process = try rig.process()
    let flood = Flood(rig.machine.busAddress)
    defer { flood.stop() }
    let client = try rig.connect()
    var slowest: UInt64 = 0
    let end = now() + 8_000_000
    while now() < end {
      let begun = now()
      #expect(try rig.property("State", on: client).string == "locked")
      slowest = max(slowest, now() - begun)
      usleep(200_000)
    }
    #expect(slowest < 2_000_000, "the slowest answer took \(slowest / 1000) ms")
    #expect(flood.sent > 1000, "that was no flood: \(flood.sent)")

    // Work goes on beside it.
    let unlock = try rig.unlock(on: client)
    #expect(try reply(to: unlock, on: client).error == nil)
    try waitUntil("it is ready") { try rig.property("State", on: client).string == "ready" }
    #expect(try rig.process() == process, "the watchdog has ended the service")
    #expect(try rig.mostMemory() < 100, "MiB")
  }

  /// The bus lets anybody send some 30 MB at once. No part of it is worth a copy.
  @Test func aHugeMessageCostsNotMuchMoreThanItself() throws {
    let rig = try WaitServiceRig()
    let client = try rig.connect()
    let name = String(repeating: "x", count: 30_000_000)
    for _ in 0..<5 {
      let calls: [(String, [BusArgument])] = [
        ("GetAll", [.string(name)]), ("Get", [.string(WaitServiceRig.interface), .string(name)]),
      ]
      for (member, arguments) in calls {
        let error = #expect(throws: BusError.self) {
          _ = try client.call(
            WaitServiceRig.name, WaitServiceRig.path, "org.freedesktop.DBus.Properties", member, arguments)
        }
        #expect(error?.message.utf8.count ?? .max < 1000)
      }
    }
    #expect(try rig.mostMemory() < 100, "MiB")
  }
}

/// Clients in threads of their own.
private final class Flood: @unchecked Sendable {
  // @unchecked: the state is guarded by the lock.
  private let lock = NSLock()
  private var isOver = false
  private var count = 0
  private let ended = DispatchGroup()
  /// Calls that one client has open at most.
  private static let mostWaiting = 2000

  var sent: Int { lock.withLock { count } }

  /// What each of them does again and again.
  private enum Kind: CaseIterable {
    case properties, moreProperties, signals, introspection
  }

  init(_ address: String) {
    for kind in Kind.allCases {
      ended.enter()
      Thread {
        self.run(kind, address)
        self.ended.leave()
      }.start()
    }
  }

  func stop() {
    lock.withLock { isOver = true }
    ended.wait()
  }

  private func run(_ kind: Kind, _ address: String) {
    guard let endpoint = try? BusEndpoint(address: address) else { return }
    var waiting = 0
    while !lock.withLock({ isOver }) {
      do {
        if waiting < Self.mostWaiting {
          if try send(kind, endpoint) { waiting += 1 }
          lock.withLock { count += 1 }
        }
        while let message = try endpoint.nextMessage() {
          if case .reply = message { waiting -= 1 }
        }
        if waiting >= Self.mostWaiting || endpoint.hasBacklog { pollAll([endpoint], until: now() + 100_000) }
      } catch {
        // The bus may refuse one: the next follows.
        usleep(1000)
      }
    }
  }

  /// - Returns: whether an answer is to come.
  private func send(_ kind: Kind, _ endpoint: BusEndpoint) throws -> Bool {
    let (name, path, interface) = (WaitServiceRig.name, WaitServiceRig.path, WaitServiceRig.interface)
    switch kind {
    case .properties, .moreProperties:
      _ = try endpoint.send(name, path, "org.freedesktop.DBus.Properties", "GetAll", [.string(interface)])
    case .introspection: _ = try endpoint.send(name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
    case .signals:
      try endpoint.emit(path, interface, "Noise", [.string("noise")], to: name)
      return false
    }
    return true
  }
}
