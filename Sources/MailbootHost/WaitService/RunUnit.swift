import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// What the service has a run do.
public enum RunJob: String, Sendable {
  case unlock, lock, verify
}

/// A run that the service started: a transient unit of systemd with the passphrase as its standard input, whose standard output
/// tells how it goes.
///
/// A unit of its own and not a child: it has all of root's rights, which the service has not; it outlives a restart of the service;
/// and it is systemd that ends it at shutdown.
final class RunUnit {
  let job: RunJob
  let unit: UnitName
  let source: UnlockSource
  let by: String
  /// The user who called; nil: nobody on the bus.
  let uid: UInt32?
  /// Who waits for the end; nil: nobody on the bus.
  let call: IncomingCall?
  private var lines: LineReader
  /// The last line.
  private(set) var result: RunMessage?
  private(set) var hasEnded = false
  /// Whether it has got past what it waits for: a caller may take his time to hand over the passphrase.
  private(set) var isAtWork: Bool

  var descriptor: Int32 { lines.descriptor }

  struct Request {
    var job: RunJob
    var source = UnlockSource.none
    var by = "root"
    var uid: UInt32?
    var arguments: [String] = []
  }

  /// Starts it.
  /// - Parameters:
  ///   - program: the path of `mailboot`.
  ///   - input: what it reads; stays the caller's. Nil: nothing.
  ///   - number: makes the unit's name unique.
  init(
    _ request: Request, program: String, number: Int, input: Int32?, call: IncomingCall?
  ) throws(Failure) {
    job = request.job
    source = request.source
    by = request.by
    uid = request.uid
    self.call = call
    isAtWork = call == nil || job != .unlock
    unit = UnitName("mailboot-run-\(getpid())-\(number).service")
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    defer { close(ends[1]) }
    lines = LineReader(owning: ends[0])
    let service = TransientService(
      name: unit, description: "mailboot \(job.rawValue), by \(by) (\(source.rawValue))", executable: program,
      arguments: ["run", job.rawValue, "--via", source.rawValue, "--by", by] + request.arguments,
      standardInput: input, standardOutput: ends[1], syslogIdentifier: "mailboot",
      // Stopped, it takes back what it did, which may mean to stop mail services.
      timeoutStopMicroseconds: 180_000_000,
      extra: Self.properties + (job == .unlock ? Self.priority : []))
    do {
      _ = try SystemdManager().start(service)
    } catch {
      throw Failure(error)
    }
  }

  private static let properties = [
    // A token may lie in root's keyring, which a service does not see by itself.
    UnitProperty("KeyringMode", .string("shared")),
    // Memory runs out in the key derivation, which is a child and the first to go. The run is to say so, not to be stopped for it.
    UnitProperty("OOMPolicy", .string("continue")),
    // Of a sandbox what needs no mounts of its own: a run has to see the host's. Nor a list of devices: it opens the disk.
    UnitProperty("LimitCORE", .uint64(0)),
    UnitProperty("LimitCORESoft", .uint64(0)),
    UnitProperty("NoNewPrivileges", .bool(true)),
    UnitProperty("LockPersonality", .bool(true)),
    UnitProperty("RestrictRealtime", .bool(true)),
  ]

  /// All mail waits for an unlock: it goes before whoever else has work for the processors, on purpose or not. No `CPUWeight=`: one makes
  /// systemd weigh all units against each other, and the run's checks would slow down the services that they run beside.
  private static let priority = [UnitProperty("Nice", .int32(-10))]

  /// The lines that have come, without waiting.
  func readMessages() -> [RunMessage] {
    let (lines, ended) = lines.readLines()
    let events = lines.compactMap { RunMessage(line: $0) }
    for event in events {
      switch event {
      case .done, .failed: result = event
      case .progress: isAtWork = true
      case .warning: break
      }
    }
    hasEnded = ended
    return events
  }

  /// What Ctrl-C does at a terminal: it takes back what it did.
  func interrupt() throws(Failure) {
    do throws(BusError) {
      try SystemdManager().kill(unit, .main, signal: SIGINT)
    } catch  where error.isNoSuchUnit || error.isNoSuchProcess {
      // It has just ended.
    } catch {
      throw Failure(error)
    }
  }
}

/// Reads lines from a pipe as they come.
struct LineReader: ~Copyable {
  let descriptor: Int32
  private var rest: [UInt8] = []

  /// No line is longer; what is gets cut.
  private static let limit = 1 << 20

  init(owning descriptor: Int32) {
    self.descriptor = descriptor
    _ = mb_fcntl_int(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { close(descriptor) }

  /// The whole lines that have come, without their ends, and whether no more will.
  mutating func readLines() -> (lines: [Substring], ended: Bool) {
    var chunk = [UInt8](repeating: 0, count: 8192)
    var ended = false
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 {
        ended = count == 0 || errno != EAGAIN
        break
      }
      if rest.count < Self.limit { rest += chunk[..<count] }
    }
    var lines: [Substring] = []
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: rest[..<end], as: UTF8.self)[...])
      rest.removeSubrange(...end)
    }
    return (lines, ended)
  }
}
