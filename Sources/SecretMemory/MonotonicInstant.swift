import Glibc

/// A moment of `CLOCK_BOOTTIME`, for deadlines.
///
/// `ContinuousClock` reads the same clock, but belongs to Swift's concurrency, and that brings Dispatch: 5,000 pointers to be relocated
/// at each start of a program that needs neither.
public struct MonotonicInstant: Comparable, Sendable {
  private let time: Duration

  public static var now: MonotonicInstant {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return MonotonicInstant(time: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
  }

  public static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
    MonotonicInstant(time: instant.time + duration)
  }

  public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool { left.time < right.time }

  /// How long it is until `end`; negative when that has passed.
  public func duration(to end: MonotonicInstant) -> Duration { end.time - time }
}
