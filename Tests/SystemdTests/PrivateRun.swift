import Foundation

/// Runs `body` on a thread whose `/run` is an empty one of its own, and so are those of the programs it starts: what speaks to
/// systemd's fixed paths can then be tested with real sockets, on a machine with or without systemd. Root only.
func withPrivateRun<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
  let outcome = Outcome<Value>()
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    outcome.result = Result {
      try enterPrivateRun()
      return try body()
    }
    done.signal()
  }
  thread.start()
  done.wait()
  guard let result = outcome.result else { throw CocoaError(.featureUnsupported) }
  return try result.get()
}

/// Written by the thread before the semaphore, read after it.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
  var result: Result<Value, any Error>?
}

/// Only the calling thread goes there.
private func enterPrivateRun() throws {
  // Glibc's module hides unshare(2) without _GNU_SOURCE.
  typealias Unshare = @convention(c) (Int32) -> Int32
  guard let symbol = dlsym(nil, "unshare") else { throw POSIXError(.ENOSYS) }
  let newMounts: Int32 = 0x0002_0000
  guard unsafeBitCast(symbol, to: Unshare.self)(newMounts) == 0,
    mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0
  else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM) }
  // The machine's own journal is none of the tests' business.
  if access("/var/log/journal", F_OK) == 0 {
    guard mount("tmpfs", "/var/log/journal", "tmpfs", 0, "mode=755") == 0 else { throw POSIXError(.EPERM) }
  }
}

/// A program of the build machine.
struct Program {
  let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  init(_ path: String, _ arguments: [String] = []) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    // Foundation starts it from the calling thread, so that it lives in the same `/run`.
    try process.run()
  }

  /// Writes to its standard input.
  func type(_ text: String) throws {
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
  }

  /// The same, and closes it.
  func send(_ text: String) throws {
    try type(text)
    try input.fileHandleForWriting.close()
  }

  /// What it wrote, when it has ended.
  func end() -> (status: Int32, output: String) {
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

/// Asks until there is an answer, for at most 20 seconds.
func eventually<Value>(_ ask: () throws -> Value?) throws -> Value? {
  for _ in 0..<400 {
    if let value = try ask() { return value }
    usleep(50_000)
  }
  return nil
}
