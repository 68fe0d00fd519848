import Glibc

/// Seconds on a clock that never jumps.
public func monotonicSeconds() -> Double { seconds(CLOCK_MONOTONIC) }

/// Seconds since 1970.
public func wallSeconds() -> Double { seconds(CLOCK_REALTIME) }

/// Seconds since the boot, the time asleep included.
public func bootSeconds() -> Double { seconds(CLOCK_BOOTTIME) }

private func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
