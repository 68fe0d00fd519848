import CLinux
import Glibc
import MailbootCore
import Testing

@testable import MailbootHost

/// What a run tells when nobody, or somebody slow, reads it.
struct RunOutputTests {
  private static let last = RunMessage.done(UnlockSummary(source: .stdin, seconds: 1, steps: [], checks: []))

  private func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(mb_pipe_cloexec(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func nobodyWhoDoesNotReadHoldsTheRunUp() throws {
    let ends = try makePipe()
    defer { for end in [ends.read, ends.write] { close(end) } }
    let output = RunOutput(ends.write, patience: 0.2)
    let begun = Reactor.monotonic()
    for _ in 0..<20_000 { output.write(.warning("a warning that nobody reads")) }
    output.write(Self.last)
    #expect(Reactor.monotonic() - begun < 20)
  }

  @Test func whoReadsLateGetsWholeLinesAndTheLastOne() throws {
    let ends = try makePipe()
    let output = RunOutput(ends.write)
    let long = String(repeating: "x", count: 5000)
    for _ in 0..<100 { output.write(.warning(long)) }
    let written = LateReader(ends.read)
    output.write(Self.last)
    close(ends.write)
    let lines = written.lines()
    #expect(lines.last.flatMap { RunMessage(line: $0) } == Self.last)
    #expect(lines.dropLast().allSatisfy { RunMessage(line: $0) == .warning(long) })
    #expect(lines.count > 2)
  }

  @Test func aReaderThatHasGoneEndsNothing() throws {
    let ends = try makePipe()
    close(ends.read)
    defer { close(ends.write) }
    try withReactor { _ in
      let output = RunOutput(ends.write)
      output.write(.warning("unheard"))
      output.write(Self.last)
    }
  }
}

/// Begins to read a little later.
private final class LateReader: @unchecked Sendable {
  // @unchecked: written by the thread before it signals, read after it.
  private var bytes: [UInt8] = []
  private var thread = pthread_t()

  init(_ descriptor: Int32) {
    let context = Unmanaged.passRetained(Context(self, descriptor)).toOpaque()
    pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Context>.fromOpaque(argument).takeRetainedValue().read()
        return nil
      }, context)
  }

  func lines() -> [String] {
    pthread_join(thread, nil)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private final class Context {
    let reader: LateReader
    let descriptor: Int32

    init(_ reader: LateReader, _ descriptor: Int32) {
      self.reader = reader
      self.descriptor = descriptor
    }

    func read() {
      usleep(300_000)
      var chunk = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = Glibc.read(descriptor, &chunk, chunk.count)
        if count <= 0 { break }
        reader.bytes += chunk[..<count]
      }
      close(descriptor)
    }
  }
}
