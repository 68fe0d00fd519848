import CLinux
import Foundation
import SecretMemory
import Testing

/// A real terminal with the test at the keyboard.
final class PseudoTerminal: @unchecked Sendable {
  // @unchecked: set up before the asking thread starts; then only this side uses it.
  let master: Int32
  private let slave: Int32
  let path: String
  private var isOpen = true

  init() throws {
    var ends: (Int32, Int32) = (-1, -1)
    try #require(openpty(&ends.0, &ends.1, nil, nil, nil) == 0)
    (master, slave) = ends
    path = try #require(ttyname(slave).map { String(cString: $0) })
  }

  deinit {
    hangUp()
    close(slave)
  }

  func hangUp() {
    if isOpen { close(master) }
    isOpen = false
  }

  func type(_ bytes: [UInt8]) throws {
    try #require(write(master, bytes, bytes.count) == bytes.count)
  }

  func type(_ text: String) throws { try type(Array(text.utf8)) }

  /// Waits until the terminal shows `text`, at most 10 s; gives all that it has shown since the last call.
  @discardableResult
  func waitFor(_ text: String) throws -> String {
    var shown: [UInt8] = []
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
      var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 100) > 0 else { continue }
      var chunk = [UInt8](repeating: 0, count: 4096)
      let count = read(master, &chunk, chunk.count)
      guard count > 0 else { break }
      shown += chunk[..<count]
      if String(decoding: shown, as: UTF8.self).contains(text) { return String(decoding: shown, as: UTF8.self) }
    }
    throw NotShown(wanted: text, shown: String(decoding: shown, as: UTF8.self))
  }

  struct NotShown: Error {
    var wanted: String
    var shown: String
  }

  /// The local modes, as the terminal has them now.
  func localModes() throws -> tcflag_t {
    var attributes = termios()
    try #require(tcgetattr(master, &attributes) == 0)
    return attributes.c_lflag
  }

  var isEchoing: Bool {
    get throws { try localModes() & tcflag_t(ECHO) != 0 }
  }
}

/// A question in a thread of its own, so that the test can type.
final class Asking: @unchecked Sendable {
  // @unchecked: `outcome` is written before the semaphore is signalled and read after it.
  enum Outcome: Equatable {
    case secret([UInt8])
    case endOfInput
    case interrupted(Int32)
    case withdrawn
    case failed(TerminalError)
  }

  private var outcome: Outcome?
  private let started = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private var thread = pthread_t()

  /// - Parameter takesSignals: through a signalfd, of those sent with `signal`.
  init(
    at path: String, prompt: String = "Passphrase: ", takesSignals: Bool = false,
    stillWanted: @escaping @Sendable () -> Bool = { true }
  ) {
    let body = Thread { [self] in
      thread = pthread_self()
      var signals = sigset_t()
      sigemptyset(&signals)
      for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1] { sigaddset(&signals, number) }
      pthread_sigmask(SIG_BLOCK, &signals, nil)
      let descriptor = takesSignals ? signalfd(-1, &signals, 0) : -1
      started.signal()
      do throws(TerminalError) {
        let answer = try TerminalPrompt(path: path).ask(
          prompt: prompt, signals: takesSignals ? descriptor : nil, stillWanted: stillWanted)
        switch consume answer {
        case .secret(let secret): outcome = .secret(secret.bytes)
        case .endOfInput: outcome = .endOfInput
        case .interrupted(let number): outcome = .interrupted(number)
        case .withdrawn: outcome = .withdrawn
        }
      } catch {
        outcome = .failed(error)
      }
      if descriptor >= 0 { close(descriptor) }
      ended.signal()
    }
    body.start()
    started.wait()
  }

  /// Sends a signal to the asking thread alone.
  func signal(_ number: Int32) {
    pthread_kill(thread, number)
  }

  /// How it ended; nil when it has not within 10 s.
  func result() -> Outcome? {
    ended.wait(timeout: .now() + 10) == .success ? outcome : nil
  }
}
