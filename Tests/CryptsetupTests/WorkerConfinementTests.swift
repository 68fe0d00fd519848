import Foundation
import Linux
import MailbootCore
import Testing

extension CryptsetupTests {
  /// What the worker does for the secrets in it, and when it ends; seen from outside while it waits for its passphrase.
  @Suite struct WorkerConfinementTests {
    @Test func itDumpsNoCoreClosesWhatItInheritedAndGoesFirstWhenMemoryRunsOut() throws {
      let waiting = try WaitingWorker()
      try waiting.become { try waiting.line("oom_score_adj") == "1000" }
      let core = try #require(try waiting.lines("limits").first { $0.hasPrefix("Max core file size") })
      #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
      #expect(try waiting.descriptors().isDisjoint(with: [7, 9]))
      #expect(try waiting.descriptors().isSuperset(of: [0, 1, 2, 3]))
    }

    @Test func itEndsWithItsParent() throws {
      let waiting = try WaitingWorker()
      try waiting.become { try waiting.line("oom_score_adj") == "1000" }
      kill(waiting.parent, SIGKILL)
      try waiting.become { waiting.isGone }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalEndsItWhileItHasChangedNothing(_ number: Int32) throws {
      let waiting = try WaitingWorker()
      try waiting.become { try waiting.line("oom_score_adj") == "1000" }
      kill(waiting.worker, number)
      try waiting.become { waiting.isGone }
    }
  }
}

/// A worker whose passphrase does not come, started by a shell that goes on waiting.
private final class WaitingWorker {
  let parent: Int32
  let worker: Int32
  private let process = Process()
  private let image: LUKSImage

  struct DidNotHappen: Error {}

  init() throws {
    image = try LUKSImage()
    let fifo = image.directory + "/fifo"
    try #require(mkfifo(fifo, 0o600) == 0)
    let requestFile = image.directory + "/request"
    let request = OpenRequest(device: image.path, header: nil, mapping: "mailboot-test-none", memoryLimitKiB: nil)
    try JSONEncoder().encode(request).write(to: URL(fileURLWithPath: requestFile))
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // As a parent with blocked signals would; and with descriptors that are not meant for the worker.
    process.arguments = [
      "-c", #"trap '' INT TERM; "$0" open <"$1" >/dev/null 2>&1 3<>"$2" 7</dev/null 9</dev/null & echo $!; wait"#,
      try WorkerProcess.path, requestFile, fifo,
    ]
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    parent = process.processIdentifier
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    worker = try #require(Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  deinit {
    kill(worker, SIGKILL)
    kill(parent, SIGKILL)
    process.waitUntilExit()
  }

  /// Waits until it is so, at most 10 s.
  func become(_ condition: () throws -> Bool) throws {
    for _ in 0..<200 {
      if try condition() { return }
      usleep(50_000)
    }
    throw DidNotHappen()
  }

  /// Ended, whether or not somebody has asked for its status.
  var isGone: Bool {
    guard let status = try? lines("status") else { return true }
    return status.contains { $0.hasPrefix("State:") && $0.contains("Z") }
  }

  func line(_ file: String) throws -> String? { try lines(file).first.map(String.init) }

  func lines(_ file: String) throws -> [Substring] {
    let file = try #require(FileHandle(forReadingAtPath: "/proc/\(worker)/\(file)"))
    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
  }

  func descriptors() throws -> Set<Int> {
    Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(worker)/fd").compactMap { Int($0) })
  }
}
