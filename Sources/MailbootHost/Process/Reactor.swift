import CLinux
import Glibc
import Linux
import MailbootCore

/// Waiting, in one place: every wait of a run has an end, and a person's Ctrl-C ends each of them.
///
/// Signals are blocked for the whole process and read from a descriptor, so none is lost and none strikes between two steps.
public final class Reactor {
  public let signalDescriptor: Int32
  /// After the first signal, and while a run is taken back, further ones end nothing: half an undo helps nobody.
  private var deaf = false
  private var ignoresHangup = false
  /// Those of a person among them.
  private var ignored = 0
  /// Called with each signal of a person (Ctrl-C, Ctrl-\) that ends nothing, and which one it is: 1, 2, … Whoever insists may be let go.
  public var onIgnored: ((Int) -> Void)?
  /// Called at least every second while something is waited for: whoever shows progress shows it anew.
  public var onTick: (() -> Void)?

  /// Call before any thread exists.
  public init() throws(Failure) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
    // Whoever started us may ignore it; children then leave no exit status.
    signal(SIGCHLD, SIG_DFL)
    signalDescriptor = mb_signalfd(&set)
    guard signalDescriptor >= 0 else { throw .system("signals cannot be received: \(errnoText())") }
  }

  deinit { close(signalDescriptor) }

  public static func monotonic() -> Double { monotonicSeconds() }
  public static func wall() -> Double { wallSeconds() }

  /// Waits until one of the descriptors is ready, the deadline (monotonic seconds) passes, or a signal comes.
  /// - Throws: `.interrupted`, once.
  func wait(_ descriptors: inout [pollfd], until deadline: Double?) throws(Failure) {
    let signalIndex = descriptors.count
    descriptors.append(pollfd(fd: signalDescriptor, events: Int16(POLLIN), revents: 0))
    defer { descriptors.removeLast() }
    onTick?()
    var milliseconds: Int32 = onTick == nil ? -1 : 1000
    if let deadline {
      // Round up, else the last millisecond is a busy loop. A wait that ends early is looped around by every caller.
      let most = onTick == nil ? 1e6 : 1000
      milliseconds = Int32(max(0, min(most, ((deadline - Self.monotonic()) * 1000).rounded(.up))))
    }
    let count = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
    if count < 0 && errno != EINTR { throw .system("poll: \(errnoText())") }
    guard count > 0, descriptors[signalIndex].revents != 0 else { return }
    try takeSignal()
  }

  /// Sees whether a signal has come, without waiting.
  public func checkSignals() throws(Failure) {
    var none: [pollfd] = []
    try wait(&none, until: Self.monotonic())
  }

  private func takeSignal() throws(Failure) {
    let signal = mb_next_signal(signalDescriptor)
    // Ctrl-Z is for the prompt, which reads the signals itself; a half-open vault is not to be left lying in the background.
    guard signal != 0, signal != SIGTSTP, !(ignoresHangup && signal == SIGHUP) else { return }
    if deaf {
      // Not SIGTERM: whoever waits for our end may send it again and again.
      guard signal == SIGINT || signal == SIGQUIT else { return }
      ignored += 1
      onIgnored?(ignored)
      return
    }
    deaf = true
    throw .interrupted(signal: signal)
  }

  /// Sleeps, ended by a signal.
  func sleep(seconds: Double) throws(Failure) {
    var none: [pollfd] = []
    let deadline = Self.monotonic() + seconds
    while Self.monotonic() < deadline { try wait(&none, until: deadline) }
  }

  /// The end of the terminal ends nothing: half-way locked, with the key in memory and mail down, is no place to stop.
  func ignoreHangup() { ignoresHangup = true }

  /// From here on signals end nothing.
  func stopListening() { deaf = true }

  /// The next signal ends a wait again.
  func listenAgain() { deaf = false }
}

/// The engine's clocks.
public final class HostClock: ClockPort {
  public init() {}
  public func monotonic() -> Double { Reactor.monotonic() }
  public func wall() -> Double { Reactor.wall() }
}
