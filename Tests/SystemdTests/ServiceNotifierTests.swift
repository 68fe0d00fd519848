import CLinux
import Foundation
import Testing

@testable import Systemd

/// One after the other: they set this process's environment.
@Suite(.serialized) struct ServiceNotifierTests {
  /// systemd's end of the socket.
  private final class Listener {
    let name: String
    private let descriptor = mb_unix_datagram_socket()

    init(_ name: String) throws {
      self.name = name
      let address = try #require(UnixAddress(name))
      #expect(address.withPointer { bind(descriptor, $0, $1) } == 0)
    }

    deinit {
      close(descriptor)
      if !name.hasPrefix("@") { unlink(name) }
    }

    func next() -> String? {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &bytes, bytes.count, 0)
      return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
  }

  private static func socketName() -> String { "/tmp/mailboot-notify.\(getpid()).\(UInt32.random(in: 0 ... .max))" }

  @Test(arguments: ["", "@"]) func systemdHearsEachMessage(_ space: String) throws {
    let listener = try Listener(space == "@" ? "@" + Self.socketName().dropFirst() : Self.socketName())
    let notifier = try #require(ServiceNotifier(socket: listener.name, watchdogMicroseconds: nil))
    notifier.ready(status: "locked since boot")
    #expect(listener.next() == "READY=1\nSTATUS=locked since boot")
    notifier.status("one\nREADY=1\ntwo")
    #expect(listener.next() == "STATUS=one READY=1 two")
    notifier.keepAlive()
    #expect(listener.next() == "WATCHDOG=1")
    notifier.stopping()
    #expect(listener.next() == "STOPPING=1")
    notifier.reloading()
    let reload = try #require(listener.next()).split(separator: "=")
    #expect(reload.dropLast() == ["RELOADING", "1\nMONOTONIC_USEC"])
    #expect(UInt64(reload[2]).map { $0 > 0 } == true)
    #expect(listener.next() == nil)
  }

  @Test func childrenDoNotInheritThePlaceToNotify() throws {
    let listener = try Listener(Self.socketName())
    setenv("NOTIFY_SOCKET", listener.name, 1)
    setenv("WATCHDOG_USEC", "30000000", 1)
    setenv("WATCHDOG_PID", "\(getpid())", 1)
    let notifier = try #require(ServiceNotifier.takeFromEnvironment())
    #expect(notifier.watchdogMicroseconds == 30_000_000)
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { #expect(getenv(name) == nil) }
    #expect(notifier.ready())
    #expect(listener.next() == "READY=1")
    #expect(ServiceNotifier.takeFromEnvironment() == nil)
  }

  @Test func aWatchdogForAnotherProcessIsNotOurs() throws {
    let listener = try Listener(Self.socketName())
    setenv("NOTIFY_SOCKET", listener.name, 1)
    setenv("WATCHDOG_USEC", "30000000", 1)
    setenv("WATCHDOG_PID", "1", 1)
    #expect(try #require(ServiceNotifier.takeFromEnvironment()).watchdogMicroseconds == nil)
    #expect(getenv("WATCHDOG_USEC") == nil)
  }

  @Test func nobodyWhoListensIsNoTrouble() throws {
    let notifier = try #require(ServiceNotifier(socket: Self.socketName(), watchdogMicroseconds: nil))
    #expect(!notifier.ready())
    #expect(ServiceNotifier(socket: "relative", watchdogMicroseconds: nil) == nil)
  }
}
