import Glibc

/// Writes all of it, whatever the descriptor does. A reader that has gone is not our trouble.
public func emit(_ text: String, to descriptor: Int32) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      // Whoever shares the descriptor has made it non-blocking.
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&entry, 1, 1000)
      continue
    }
    guard count > 0 else { return }
    rest = rest.dropFirst(count)
  }
}

/// A line of results.
public func say(_ line: String) { emit(line + "\n", to: 1) }
/// A line of messages.
public func tell(_ line: String) { emit(line + "\n", to: 2) }
