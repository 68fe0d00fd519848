import Glibc

/// Writes all of it, however many calls that takes; waits where somebody has made the descriptor non-blocking.
/// - Returns: false when it could not; `errno` says why.
public func writeAll(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&entry, 1, 1000)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}
