import CLinux
import Foundation
import Linux
import Systemd
import TestSupport
import Testing

/// A dbus-daemon of its own for one test, with a policy that allows everything but one name.
final class PrivateBus {
  static let forbiddenName = "org.mailboot1.forbidden"

  let directory: TemporaryDirectory
  let address: String
  private let daemon = Process()

  init() throws {
    directory = try TemporaryDirectory()
    address = "unix:path=" + directory.file("bus")
    let configuration = try directory.write("bus.conf", Self.configuration(listen: address))
    // The limit is for tests that end without their clean-up. Only SIGKILL ends it: what Foundation starts from a test has
    // the signals blocked that the test's thread has.
    daemon.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    daemon.arguments = [
      "-s", "KILL", "300", "dbus-daemon", "--nofork", "--nosyslog", "--config-file=\(configuration)",
    ]
    daemon.standardInput = FileHandle.nullDevice
    // It complains when it may not raise its limits.
    daemon.standardError = FileHandle.nullDevice
    try daemon.run()
    try waitUntil("dbus-daemon listens") { (try? BusEndpoint(address: address)) != nil }
  }

  /// The daemon's configuration file.
  static func configuration(listen: String) -> String {
    """
    <busconfig>
      <listen>\(listen)</listen>
      <auth>EXTERNAL</auth>
      <policy context="default">
        <allow user="*"/><allow own="*"/><deny own="\(forbiddenName)"/>
        <allow send_destination="*"/><allow receive_sender="*"/>
      </policy>
    </busconfig>
    """
  }

  deinit { stop() }

  func connect() throws -> BusEndpoint { try BusEndpoint(address: address) }

  /// Ends the daemon, and with it all connections.
  func stop() {
    guard daemon.isRunning else { return }
    // timeout(1) and the daemon are a process group of their own.
    kill(-daemon.processIdentifier, SIGKILL)
    daemon.waitUntilExit()
  }
}

struct Overdue: Error {
  let what: String
}

/// Waits until a condition holds, for 30 s at most.
func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let end = now() + 30_000_000
  while try !condition() {
    if now() > end { throw Overdue(what: what) }
    usleep(10_000)
  }
}

/// `CLOCK_MONOTONIC` in microseconds.
func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
}

/// Waits for any of these to have something to do, as a daemon's loop does, and at most until `end`.
func pollAll(_ endpoints: [BusEndpoint], until end: UInt64) {
  var waiting = endpoints.map { pollfd(fd: $0.descriptor, events: $0.pollEvents(), revents: 0) }
  let deadline = min(end, endpoints.compactMap { $0.timeoutMicroseconds() }.min() ?? end)
  let time = now()
  if deadline > time { poll(&waiting, nfds_t(waiting.count), Int32((deadline - time) / 1000 + 1)) }
}

/// Serves the calls that reach `server` until `client` gets a message that is wanted; both in one thread.
func nextMessage<Wanted>(
  on client: BusEndpoint, serving server: BusEndpoint? = nil, seconds: UInt64 = 30,
  answering: (IncomingCall) throws -> Void = { _ in }, _ wanted: (BusEndpoint.Message) throws -> Wanted?
) throws -> Wanted {
  let end = now() + seconds * 1_000_000
  while now() < end {
    while let message = try server?.nextMessage() {
      if case .call(let call) = message { try answering(call) }
    }
    while let message = try client.nextMessage() {
      if let wanted = try wanted(message) { return wanted }
    }
    pollAll([client] + (server.map { [$0] } ?? []), until: end)
  }
  throw Overdue(what: "message")
}

/// The answer to a call that `client` has sent, with `server` answering.
func reply(
  to cookie: BusEndpoint.Cookie, on client: BusEndpoint, serving server: BusEndpoint? = nil,
  answering: (IncomingCall) throws -> Void = { _ in }
) throws -> Result<IncomingReply, BusError> {
  try nextMessage(on: client, serving: server, answering: answering) { message in
    if case .reply(cookie, let result) = message { result } else { nil }
  }
}

extension Result where Success == IncomingReply, Failure == BusError {
  var error: BusError? { if case .failure(let error) = self { error } else { nil } }
}

/// A pipe, both ends close-on-exec.
func makePipe() throws -> (read: OwnedEnd, write: OwnedEnd) {
  var ends: [Int32] = [-1, -1]
  guard mb_pipe_cloexec(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
  return (OwnedEnd(ends[0]), OwnedEnd(ends[1]))
}

/// An end of a pipe, closed with its owner.
final class OwnedEnd {
  private(set) var descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close() }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  func write(_ text: String) { _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) } }

  /// Everything up to the end of the pipe.
  func readToEnd() -> String { readAll(descriptor) }
}

/// Everything up to the end.
func readAll(_ descriptor: Int32) -> String {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes += buffer[..<count]
  }
}
