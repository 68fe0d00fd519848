import CLinux
import Glibc
import MailbootCore

/// What a run tells on its standard output. Nobody who reads slowly, or not at all, holds the run up: what finds no room is dropped, but
/// for the last line.
public final class RunOutput {
  private let descriptor: Int32
  /// The rest of a line that found room only in part.
  private var rest: [UInt8] = []
  /// Seconds that the last line waits for room.
  private let patience: Double

  public init(_ descriptor: Int32 = 1, patience: Double = 10) {
    self.descriptor = descriptor
    self.patience = patience
    _ = mb_fcntl_int(descriptor, F_SETFL, mb_fcntl_int(descriptor, F_GETFL, 0) | O_NONBLOCK)
  }

  public func write(_ message: RunMessage) {
    flush()
    let isLast =
      switch message {
      case .done, .failed: true
      case .progress, .warning: false
      }
    guard rest.isEmpty || isLast else { return }
    rest += Array((message.line() + "\n").utf8)
    flush()
    let deadline = Reactor.monotonic() + patience
    while isLast, !rest.isEmpty, Reactor.monotonic() < deadline {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&entry, 1, 100)
      flush()
    }
  }

  /// Writes what there is room for. A service that has gone does not end the run.
  private func flush() {
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest.removeFirst(count)
      } else if count == 0 || errno != EINTR {
        if errno != EAGAIN { rest = [] }
        return
      }
    }
  }
}
