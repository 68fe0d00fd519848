import CLinux
import Foundation
import SecretMemory
import Testing
import Text

@Suite struct ReadSecretTests {
  @Test(arguments: [
    ("", false, ""), ("secret", false, "secret"), ("secret\n", false, "secret\n"), ("secret\n", true, "secret"),
    ("secret\n\n", true, "secret\n"), ("secret\r\n", true, "secret\r"), ("\n", true, ""),
    ("pä\0ß\nb", true, "pä\0ß\nb"),
  ])
  func theExactBytesArriveButForOneNewline(_ given: String, _ drop: Bool, _ expected: String) throws {
    #expect(try outcome(Array(given.utf8), dropping: drop) == .success(Array(expected.utf8)))
  }

  @Test func theLimitCountsWithoutTheDroppedNewline() throws {
    let exact = [UInt8](repeating: 0x61, count: 100)
    #expect(try outcome(exact, dropping: true) == .success(exact))
    #expect(try outcome(exact + [0x0A], dropping: true) == .success(exact))
    for tooMuch in [exact + [0x61], exact + [0x0A, 0x0A], exact + exact] {
      #expect(try outcome(tooMuch, dropping: true) == .failure(.tooLong(limit: 100)))
    }
    #expect(try outcome(exact + [0x0A], dropping: false) == .failure(.tooLong(limit: 100)))
  }

  @Test func aWriterThatNeverEndsMeetsTheDeadline() throws {
    let ends = try makePipe()
    defer { closeAll(ends.read, ends.write) }
    let start = MonotonicInstant.now
    #expect(outcome(of: ends.read, deadline: start + .milliseconds(200)) == .failure(.timedOut))
    #expect(start.duration(to: .now) >= .milliseconds(200))
  }

  @Test func aWriterThatNeverEndsMeetsASignal() throws {
    let ends = try makePipe()
    defer { closeAll(ends.read, ends.write) }
    var blocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGTSTP, SIGWINCH] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let signals = mb_signalfd(&blocked)
    try #require(signals >= 0)
    defer { close(signals) }
    try #require(Glibc.write(ends.write, "half", 4) == 4)
    // Ctrl-Z is no reason to give up; the lower number comes first.
    for number in [SIGTSTP, SIGWINCH] { pthread_kill(pthread_self(), number) }
    #expect(throws: SecretReadError.interrupted(SIGWINCH)) {
      _ = try readSecret(
        from: ends.read, limit: 100, dropTrailingNewline: false, deadline: .now + .seconds(20), signals: signals)
    }
  }

  /// Whoever handed the descriptor over has one of his own of the same pipe, and may read what poll(2) has seen.
  @Test func aThiefAtThePipeCannotHoldTheReaderUp() throws {
    for _ in 0..<100 {
      let ends = try makePipe()
      let thief = Thread {
        var byte: UInt8 = 0
        while read(ends.read, &byte, 1) > 0 {}
        usleep(100_000)
        close(ends.read)
      }
      thief.start()
      let writer = Thread {
        usleep(2000)
        _ = Glibc.write(ends.write, "x", 1)
        // Else a reader that is held up would be so for ever.
        usleep(2_000_000)
        close(ends.write)
      }
      writer.start()
      let start = MonotonicInstant.now
      _ = outcome(of: ends.read, deadline: start + .milliseconds(30))
      let took = start.duration(to: .now)
      #expect(took < .seconds(1))
      if took >= .seconds(1) { return }
    }
  }

  @Test func aSocketThatIsMadeToBlockIsNotWaitedFor() throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { closeAll(ends[0], ends[1]) }
    try #require(write(ends[1], "half", 4) == 4)
    #expect(outcome(of: ends[0], deadline: .now + .milliseconds(100)) == .failure(.timedOut))
    try #require(write(ends[1], "whole", 5) == 5)
    shutdown(ends[1], Int32(SHUT_WR))
    #expect(outcome(of: ends[0], deadline: .now + .seconds(20)) == .success(Array("whole".utf8)))
  }

  @Test func aDescriptorThatCannotBeReadIsAnError() throws {
    let directory = open("/", O_RDONLY | O_CLOEXEC)
    defer { close(directory) }
    #expect(outcome(of: directory) == .failure(.failed(EISDIR)))
  }

  @Test func aSecretLargerThanThePipeIsHandedOnWhole() throws {
    let ends = try makePipe()
    let pattern = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let writer = Thread {
      do {
        var secret = try SecretBytes(capacity: pattern.count)
        for byte in pattern { try secret.append(byte) }
        try write(secret, to: ends.write)
      } catch {
        Issue.record(error)
      }
      close(ends.write)
    }
    writer.start()
    let arrived = try readSecret(from: ends.read, limit: 8 << 20, dropTrailingNewline: false)
    close(ends.read)
    #expect(arrived.bytes == pattern)
  }

  @Test func aReaderThatHasGoneAwayIsAnErrorAndNoSignal() throws {
    let ends = try makePipe()
    close(ends.read)
    defer { close(ends.write) }
    var secret = try SecretBytes(capacity: 1)
    try secret.append(1)
    var failure: SecretWriteError?
    do { try write(secret, to: ends.write) } catch { failure = error }
    #expect(failure?.code == EPIPE)
    var pending = sigset_t()
    sigpending(&pending)
    #expect(sigismember(&pending, SIGPIPE) == 0)
  }
}

/// What reading at most 100 bytes gives.
private func outcome(
  of descriptor: Int32, dropping: Bool = false, deadline: MonotonicInstant? = nil
) -> Result<[UInt8], SecretReadError> {
  do throws(SecretReadError) {
    let secret = try readSecret(from: descriptor, limit: 100, dropTrailingNewline: dropping, deadline: deadline)
    return .success(secret.bytes)
  } catch {
    return .failure(error)
  }
}

private func outcome(_ bytes: [UInt8], dropping: Bool) throws -> Result<[UInt8], SecretReadError> {
  let descriptor = try pipe(holding: bytes)
  defer { close(descriptor) }
  return outcome(of: descriptor, dropping: dropping)
}

private func makePipe() throws -> (read: Int32, write: Int32) {
  var ends: [Int32] = [0, 0]
  try #require(pipe(&ends) == 0)
  for end in ends { try #require(mb_fcntl_int(end, F_SETFD, FD_CLOEXEC) == 0) }
  return (ends[0], ends[1])
}

/// The read end of a pipe with these bytes, up to 64 KiB, and nothing after them.
private func pipe(holding bytes: [UInt8]) throws -> Int32 {
  let ends = try makePipe()
  try #require(write(ends.write, bytes, bytes.count) == bytes.count)
  close(ends.write)
  return ends.read
}

private func closeAll(_ descriptors: Int32...) {
  for descriptor in descriptors { close(descriptor) }
}
