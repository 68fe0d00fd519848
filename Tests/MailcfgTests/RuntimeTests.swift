import Foundation
import Testing

/// What Swift's runtime does by itself, and must not do in a program that root runs anywhere.
@Suite struct RuntimeTests {
  /// The runtime would run swift-backtrace, which it may look for below the working directory.
  @Test func aCrashRunsNoOtherProgram() throws {
    let mailcfg = try Mailcfg()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try Mailcfg.path)
    // Waits for its standard input.
    process.arguments = ["import", "-", "--db", mailcfg.database]
    process.environment = [:]
    let input = Pipe()
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    var caught: UInt64?
    for _ in 0..<3000 where caught == nil {
      usleep(10_000)
      let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
      // Asleep: it is at its standard input, behind all that its start does.
      guard status.contains("State:\tS") else { continue }
      caught = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }.flatMap {
        UInt64($0.dropFirst("SigCgt:".count).trimmingCharacters(in: .whitespaces), radix: 16)
      }
    }
    let mask = try #require(caught, "it did not wait for its input")
    for signal in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] {
      #expect(mask & (1 << UInt64(signal - 1)) == 0, "signal \(signal) is caught")
    }
  }
}
