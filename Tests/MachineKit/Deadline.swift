import Foundation

/// A moment by which something must have happened.
struct Deadline: Sendable {
  let instant: ContinuousClock.Instant

  /// - Parameter duration: what an emulated machine may take; scaled by ``Slowness/factor``.
  init(after duration: Duration) {
    instant = .now + duration * Slowness.factor
  }

  var hasPassed: Bool { ContinuousClock.now >= instant }

  /// The time left in milliseconds, as `poll(2)` takes it; 0 when it has passed.
  var milliseconds: Int32 {
    let left = ContinuousClock.now.duration(to: instant)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }

  /// Sleeps for `interval` or until the deadline, whichever comes first. Not scaled.
  func pause(_ interval: Duration) {
    let (seconds, attoseconds) = interval.components
    let wanted = Double(seconds) + Double(attoseconds) / 1e18
    Thread.sleep(forTimeInterval: min(wanted, Double(milliseconds) / 1000))
  }
}

/// How much longer than on the reference host (two cores, emulation) things may take here.
public enum Slowness {
  /// From `MAILBOOT_MACHINE_SLOWNESS`, a number between 0.1 and 100; 1 when unset or unreadable.
  public static let factor: Double = {
    let text = ProcessInfo.processInfo.environment["MAILBOOT_MACHINE_SLOWNESS"] ?? ""
    guard let value = Double(text), (0.1...100).contains(value) else { return 1 }
    return value
  }()
}

extension Duration {
  /// Seconds with one digit, for people: `12.3 s`.
  public var inSeconds: String {
    let (seconds, attoseconds) = components
    return String(format: "%.1f s", Double(seconds) + Double(attoseconds) / 1e18)
  }
}
