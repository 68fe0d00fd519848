import CLinux
import Glibc
import Linux

/// A point in time that a change of the wall clock does not move.
package struct Deadline {
  /// Monotonic time, seconds.
  private let moment: Double

  package init(after seconds: Double) {
    moment = Self.now + max(0, seconds)
  }

  private init(moment: Double) {
    self.moment = moment
  }

  /// Seconds left, 0 when it has passed.
  var remaining: Double { max(0, moment - Self.now) }

  package var hasPassed: Bool { remaining == 0 }

  func earlier(_ other: Deadline) -> Deadline {
    Deadline(moment: min(moment, other.moment))
  }

  /// For poll(2): milliseconds left, rounded up so that it is never woken too early.
  var pollMilliseconds: Int32 { Int32(min(remaining * 1000, 1e9).rounded(.up)) }

  private static var now: Double { monotonicSeconds() }
}
