import CLinux
import Glibc
import Linux

/// Why no secret came from a descriptor.
public enum SecretReadError: Error, Equatable, Sendable, CustomStringConvertible {
  /// More than this many bytes arrived.
  case tooLong(limit: Int)
  /// No end of file before the deadline.
  case timedOut
  /// poll(2) or read(2) failed with this errno.
  case failed(Int32)
  case memory(SecretMemoryError)
  /// This signal arrived.
  case interrupted(Int32)

  public var description: String {
    switch self {
    case .tooLong(let limit): "the passphrase is longer than \(limit) bytes"
    case .timedOut: "the passphrase did not arrive in time"
    case .interrupted(let signal): "ended by signal \(signal)"
    case .failed(let code): "cannot read the passphrase: \(errnoText(code))"
    case .memory(let error): error.description
    }
  }
}

/// write(2) failed with this errno; `EPIPE` means that the reader is gone.
public struct SecretWriteError: Error, Equatable, Sendable, CustomStringConvertible {
  public var code: Int32

  public var description: String { "cannot hand on the passphrase: \(errnoText(code))" }
}

/// Reads the exact bytes up to end of file straight into locked memory.
///
/// - Parameters:
///   - limit: the most bytes the secret may have, without the newline that is dropped.
///   - dropTrailingNewline: drops exactly one LF at the end, never a CR.
///   - deadline: nil waits for ever. With one, whoever gave the descriptor cannot hold us up by other means either: of a pipe or a socket
///     nothing is read that would have to be waited for.
///   - signals: a signalfd of the caller for signals that it has blocked; each but SIGTSTP ends the wait.
public func readSecret(
  from descriptor: Int32, limit: Int, dropTrailingNewline: Bool, deadline: MonotonicInstant? = nil,
  signals: Int32? = nil
) throws(SecretReadError) -> SecretBytes {
  var secret: SecretBytes
  do {
    // One byte more for the newline, one to see that there is too much.
    secret = try SecretBytes(capacity: limit + 2)
  } catch {
    throw .memory(error)
  }
  let source = SecretSource(descriptor, isForeign: deadline != nil)
  var ended = false
  while !ended && secret.count < secret.capacity {
    try waitUntilReadable(source.descriptor, deadline, signals)
    try secret.appendInPlace { (free) throws(SecretReadError) -> Int in
      while true {
        let count = source.read(free)
        if count >= 0 {
          ended = count == 0
          return count
        }
        if errno == EAGAIN { return 0 }
        if errno != EINTR { throw .failed(errno) }
      }
    }
  }
  if ended && dropTrailingNewline && secret.withUnsafeBytes({ $0.last }) == 0x0A {
    secret.removeLast()
  }
  guard secret.count <= limit else { throw .tooLong(limit: limit) }
  return secret
}

/// Reads one line into locked memory, and nothing behind it: the next line may be another secret. The newline is dropped; what comes
/// before the end of file is a line, too.
public func readSecretLine(
  from descriptor: Int32, limit: Int, signals: Int32? = nil
) throws(SecretReadError) -> SecretBytes {
  var secret: SecretBytes
  do {
    secret = try SecretBytes(capacity: limit + 1)
  } catch {
    throw .memory(error)
  }
  while true {
    try waitUntilReadable(descriptor, nil, signals)
    let before = secret.count
    var code: Int32 = 0
    secret.appendInPlace { free in
      let count = read(descriptor, free.baseAddress, 1)
      if count < 0 { code = errno }
      return max(0, count)
    }
    if code == EINTR || code == EAGAIN { continue }
    guard code == 0 else { throw .failed(code) }
    if secret.count == before { return secret }
    if secret.withUnsafeBytes({ $0.last }) == 0x0A {
      secret.removeLast()
      return secret
    }
    guard secret.count <= limit else { throw .tooLong(limit: limit) }
  }
}

/// A descriptor to read from. What poll(2) has seen may be gone when it is read: whoever gave us the descriptor can read there, too, and
/// set whether reading blocks.
private struct SecretSource: ~Copyable {
  private let given: Int32
  /// Of the same pipe, but with flags of its own; -1: there is none.
  private let own: Int32
  private let isSocket: Bool

  init(_ descriptor: Int32, isForeign: Bool) {
    given = descriptor
    let type = mode_t(max(0, mb_type_of(descriptor)))
    own =
      isForeign && type == S_IFIFO
      ? mb_open("/proc/self/fd/\(descriptor)", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0) : -1
    isSocket = isForeign && type == S_IFSOCK
  }

  deinit { if own >= 0 { close(own) } }

  var descriptor: Int32 { own >= 0 ? own : given }

  func read(_ space: UnsafeMutableRawBufferPointer) -> Int {
    isSocket
      ? recv(given, space.baseAddress, space.count, Int32(MSG_DONTWAIT))
      : Glibc.read(descriptor, space.baseAddress, space.count)
  }
}

private func waitUntilReadable(
  _ descriptor: Int32, _ deadline: MonotonicInstant?, _ signals: Int32?
) throws(SecretReadError) {
  while true {
    var timeout: Int32 = -1
    if let deadline {
      let left = MonotonicInstant.now.duration(to: deadline) / .milliseconds(1)
      guard left > 0 else { throw .timedOut }
      timeout = Int32(min(left.rounded(.up), 3_600_000))
    }
    // A negative descriptor is left out by poll(2).
    var entries = [descriptor, signals ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let ready = poll(&entries, nfds_t(entries.count), timeout)
    if ready > 0, let signals, entries[1].revents != 0 {
      let signal = mb_next_signal(signals)
      if signal != 0 && signal != SIGTSTP { throw .interrupted(signal) }
    }
    if ready > 0 && entries[0].revents != 0 { return }
    if ready < 0 && errno != EINTR { throw .failed(errno) }
  }
}

/// Writes the whole secret to `descriptor`; a reader that has gone away is an error, not a SIGPIPE.
public func write(_ secret: borrowing SecretBytes, to descriptor: Int32) throws(SecretWriteError) {
  try withoutPipeSignal { () throws(SecretWriteError) in
    try secret.withUnsafeBytes { (bytes) throws(SecretWriteError) in
      var done = 0
      while done < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if count > 0 {
          done += count
        } else if errno == EAGAIN {
          var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          if poll(&entry, 1, -1) < 0 && errno != EINTR { throw SecretWriteError(code: errno) }
        } else if errno != EINTR {
          throw SecretWriteError(code: errno)
        }
      }
    }
  }
}

/// Runs `body` with SIGPIPE blocked in this thread, and takes away the one that `body` itself caused.
private func withoutPipeSignal<E: Error>(_ body: () throws(E) -> Void) throws(E) {
  var pipeSignal = sigset_t()
  var before = sigset_t()
  var pending = sigset_t()
  sigemptyset(&pipeSignal)
  sigaddset(&pipeSignal, SIGPIPE)
  sigpending(&pending)
  let alreadyPending = sigismember(&pending, SIGPIPE) == 1
  pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
  defer {
    if !alreadyPending {
      var now = timespec()
      sigtimedwait(&pipeSignal, nil, &now)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
  try body()
}
