import Foundation
import Synchronization

/// A file descriptor of this process. Never inherited by children unless handed over.
final class Descriptor: Sendable {
  private let state: Mutex<Int32>

  /// Takes over an open descriptor.
  init(_ number: Int32) {
    state = Mutex(number)
  }

  /// The number; -1 once closed.
  var number: Int32 { state.withLock { $0 } }

  /// Opens a file.
  /// - Parameter flags: of `open(2)`; close-on-exec is added.
  convenience init(path: String, flags: Int32, mode: mode_t = 0o644) throws {
    let number = open(path, flags | O_CLOEXEC, mode)
    guard number >= 0 else { throw MachineError.system("open \(path)", code: errno) }
    self.init(number)
  }

  deinit {
    close()
  }

  /// Closes it now. Harmless when it is closed already.
  func close() {
    state.withLock { number in
      if number >= 0 { _ = Foundation.close(number) }
      number = -1
    }
  }

  /// Two connected stream sockets: the first stays here, the second goes to a child.
  static func socketPair() throws -> (ours: Descriptor, theirs: Descriptor) {
    var pair: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
      throw MachineError.system("socketpair", code: errno)
    }
    // A guest that no longer reads must not hold us for ever.
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return (Descriptor(pair[0]), Descriptor(pair[1]))
  }

  /// Another number for the same.
  func copy() throws -> Descriptor {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw MachineError.system("fcntl", code: errno) }
    return Descriptor(copy)
  }

  /// The two ends of a new pipe.
  static func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
    // By a name that is gone at once: `pipe2(2)` is not visible here, and what `pipe(2)` makes could be inherited by a child that another
    // thread starts just then.
    let name = "/tmp/mailboot-machine." + UUID().uuidString
    guard mkfifo(name, 0o600) == 0 else { throw MachineError.system("mkfifo", code: errno) }
    defer { unlink(name) }
    let reading = try Descriptor(path: name, flags: O_RDONLY | O_NONBLOCK)
    let writing = try Descriptor(path: name, flags: O_WRONLY)
    guard fcntl(reading.number, F_SETFL, 0) == 0 else { throw MachineError.system("fcntl", code: errno) }
    return (reading, writing)
  }

  /// Waits until some of them can be read, or their other side is gone.
  static func waitForInput(_ descriptors: [Descriptor]) throws -> [Descriptor] {
    var requests = descriptors.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
    while poll(&requests, nfds_t(requests.count), -1) < 0 {
      guard errno == EINTR else { throw MachineError.system("poll", code: errno) }
    }
    return zip(descriptors, requests).filter { $1.revents != 0 }.map(\.0)
  }

  /// Waits until there is something to read, or the other side is gone.
  /// - Returns: `false` when the deadline passed first.
  func waitForInput(until deadline: Deadline) throws -> Bool {
    while true {
      var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      let count = poll(&request, 1, deadline.milliseconds)
      if count > 0 { return true }
      if count == 0 { return false }
      guard errno == EINTR else { throw MachineError.system("poll", code: errno) }
    }
  }

  /// Reads what is there; empty when the other side is gone.
  func readSome(atMost limit: Int = 65536) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    while true {
      let count = read(number, &bytes, limit)
      if count >= 0 { return Array(bytes[..<count]) }
      // A socket whose other side died with unread data answers ECONNRESET: it is gone all the same.
      if errno == ECONNRESET { return [] }
      guard errno == EINTR else { throw MachineError.system("read", code: errno) }
    }
  }

  /// Sends everything to a socket.
  func sendAll(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count >= 0 {
        sent += count
      } else if errno == EPIPE || errno == ECONNRESET {
        throw MachineError(.gone, "the machine is off")
      } else if errno == EAGAIN {
        throw MachineError(.timedOut, "the machine reads nothing any more")
      } else if errno != EINTR {
        throw MachineError.system("send", code: errno)
      }
    }
  }

  /// Writes everything to a pipe; a broken one sends SIGPIPE.
  func writeAll(_ bytes: [UInt8]) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        throw MachineError.system("write", code: errno)
      }
    }
  }
}
