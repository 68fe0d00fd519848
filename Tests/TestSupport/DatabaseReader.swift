import Foundation
import SQLite

/// Asks a database for anna@example.org without a pause until told to stop. Like postfix it waits for no lock.
public final class DatabaseReader: @unchecked Sendable {
  // @unchecked: the counters are guarded by the lock.
  private let lock = NSLock()
  private var counted = (answers: 0, refusals: 0, longest: Duration.zero)
  private var thread: Thread?
  private let begun = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  public var answers: Int { lock.withLock { counted.answers } }
  public var refusals: Int { lock.withLock { counted.refusals } }
  /// From a refusal to the next answer, at most.
  public var longest: Duration { lock.withLock { counted.longest } }

  /// Returns once it has had an answer.
  public init(_ path: String) throws {
    let connection = try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: 0)
    let box = Box(connection)
    let thread = Thread { [self] in
      var refused: ContinuousClock.Instant?
      // A refusal lasts until the next answer.
      while !Thread.current.isCancelled || refused != nil {
        let answer = try? box.connection.column("SELECT 1 FROM users WHERE email='anna@example.org' AND active=1")
        let isAnswer: Bool = answer == ["1"]
        if !isAnswer && refused == nil { refused = .now }
        lock.withLock {
          if !isAnswer {
            counted.refusals += 1
          } else {
            counted.answers += 1
            if let refused { counted.longest = max(counted.longest, refused.duration(to: .now)) }
          }
        }
        if isAnswer { refused = nil }
        if answers == 1 { begun.signal() }
      }
      ended.signal()
    }
    self.thread = thread
    thread.start()
    begun.wait()
  }

  public func stop() {
    thread?.cancel()
    ended.wait()
  }

  private final class Box: @unchecked Sendable {
    let connection: SQLiteConnection
    init(_ connection: consuming SQLiteConnection) { self.connection = connection }
  }
}
