import CLinux
import Glibc
import MailbootCore

/// Why a service gave no answer, as `ProbeReply.silent` reports it.
package struct Silence: Error, Equatable {
  package var reason: String
  /// True when the attempt's time was over: with more time the reason might have been another one.
  package var timedOut = false

  package init(reason: String, timedOut: Bool = false) {
    self.reason = reason
    self.timedOut = timedOut
  }
}

/// A connected non-blocking stream socket; every wait ends at `deadline`.
struct StreamSocket: ~Copyable {
  private let descriptor: Int32

  /// Connects to the URL's host and port, or to its Unix socket. A name with several addresses: each in turn.
  ///
  /// - Parameter source: an IPv4 address of this machine to come from; nil: the kernel chooses.
  static func connect(
    to url: ProbeURL, from source: String? = nil, attempt: Attempt
  ) throws(Silence) -> StreamSocket {
    var last = Silence(reason: "\(url.host) has no address")
    for address in try addresses(of: url) {
      do {
        return try StreamSocket(address, from: source, attempt: attempt)
      } catch {
        last = error
      }
    }
    throw last
  }

  private init(_ address: SocketAddress, from source: String?, attempt: Attempt) throws(Silence) {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { throw Silence(reason: "no socket: \(errorText(errno))") }
    if let source {
      guard let own = SocketAddress(ipv4: source), own.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
        throw Silence(reason: "cannot come from \(source): \(errorText(errno))")
      }
    }
    let status = address.withPointer { Glibc.connect(descriptor, $0, $1) }
    if status == 0 { return }
    // A Unix socket says EAGAIN when its backlog is full; there is nothing to wait for then.
    guard errno == EINPROGRESS else { throw Silence(reason: errorText(errno)) }
    try wait(for: POLLOUT, attempt: attempt)
    var number: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length) == 0 else {
      throw Silence(reason: errorText(errno))
    }
    guard number == 0 else { throw Silence(reason: errorText(number)) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Sends all of it.
  func send(_ bytes: [UInt8], attempt: Attempt) throws(Silence) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        try wait(for: POLLOUT, attempt: attempt)
      } else if errno != EINTR {
        throw Silence(reason: errorText(errno))
      }
    }
  }

  /// What has arrived, at least one byte; empty when the other side has closed.
  func receive(attempt: Attempt) throws(Silence) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      // One that never stops talking is never waited for.
      if attempt.deadline.hasPassed { throw attempt.timeout }
      let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count >= 0 { return Array(buffer.prefix(count)) }
      if errno == EAGAIN {
        try wait(for: POLLIN, attempt: attempt)
      } else if errno != EINTR {
        throw Silence(reason: errorText(errno))
      }
    }
  }

  private func wait(for event: Int32, attempt: Attempt) throws(Silence) {
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
      let ready = poll(&entry, 1, attempt.deadline.pollMilliseconds)
      if ready > 0 { return }
      if ready < 0, errno != EINTR { throw Silence(reason: errorText(errno)) }
      if attempt.deadline.hasPassed { throw attempt.timeout }
    }
  }
}

/// One attempt's time, and what it is waiting for just now.
package final class Attempt {
  private(set) var deadline: Deadline
  private let seconds: Double
  /// For the message: "greeting" gives "no greeting within 5 s".
  package var awaited = "connection"

  package init(seconds: Double) {
    self.seconds = seconds
    deadline = Deadline(after: seconds)
  }

  /// Leaves at most `seconds` from now.
  func shorten(to seconds: Double) {
    deadline = deadline.earlier(Deadline(after: seconds))
  }

  var timeout: Silence { Silence(reason: "no \(awaited) within \(secondsText(seconds))", timedOut: true) }
}
