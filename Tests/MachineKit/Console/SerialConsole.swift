import Foundation
import Synchronization

/// A terminal line of a guest, with what was ever printed on it. It outlives power cuts.
public final class SerialConsole: Sendable {
  /// Which one, as the guest names it: `ttyS0` or `ttyS1`.
  public let name: String

  private struct State {
    var line: Descriptor?
    var raw: [UInt8] = []
    var filter = EscapeFilter()
    /// What is left of `raw` without escape sequences and carriage returns.
    var text: [UInt8] = []
    /// For each byte of `text`, how many bytes of `raw` had come with it.
    var origins: [Int] = []
    /// How much of `text` has been consumed by ``expect(_:timeout:)``.
    var consumed = 0
    /// How much of `text` was printed before the line was last connected.
    var lives = 0
    /// How much of `raw` has been handed out by ``takeTranscript()``.
    var taken = 0
    var listener: (@Sendable ([UInt8]) -> Void)?
  }

  private let state = Mutex(State())

  /// Opens the line when somebody types and it is not there; `nil`: who switches the machine on connects it.
  private let opening: (@Sendable () throws -> Descriptor)?

  init(name: String, opening: (@Sendable () throws -> Descriptor)? = nil) {
    self.name = name
    self.opening = opening
  }

  /// Listens to the line of a machine that was just switched on, until it goes off.
  func connect(_ line: Descriptor) {
    state.withLock {
      $0.line = line
      $0.filter = EscapeFilter()
      $0.lives = $0.text.count
    }
    Thread.detachNewThread { [weak self] in
      // An error on our own socket means the same as its end: the machine is off.
      while let bytes = try? line.readSome(), !bytes.isEmpty {
        guard let self else { break }
        receive(bytes)
      }
      line.close()
      self?.state.withLock { state in
        if state.line === line { state.line = nil }
      }
    }
  }

  private func receive(_ bytes: [UInt8]) {
    let listener = state.withLock { state in
      for byte in bytes {
        state.raw.append(byte)
        if state.filter.passes(byte) {
          state.text.append(byte)
          state.origins.append(state.raw.count)
        }
      }
      return state.listener
    }
    listener?(bytes)
  }

  /// Has a native host open the line; typing does that, too.
  public func open() throws { try send("") }

  /// Types something, as it is: end it with a newline to press Enter.
  public func send(_ text: String) throws {
    try send(Array(text.utf8))
  }

  /// Types bytes.
  public func send(_ bytes: [UInt8]) throws {
    if let opening, state.withLock({ $0.line }) == nil { connect(try opening()) }
    guard let line = state.withLock({ $0.line }) else { throw MachineError(.gone, "the machine is off") }
    try line.sendAll(bytes)
  }

  /// Calls back with everything that is printed from now on, as it comes; `nil` ends that.
  public func listen(_ listener: (@Sendable ([UInt8]) -> Void)?) {
    state.withLock { $0.listener = listener }
  }

  /// Waits until `text` has been printed after what was expected before, and consumes up to its end.
  ///
  /// Escape sequences and carriage returns are not there to be matched.
  /// - Returns: what was consumed.
  /// - Throws: ``MachineError`` of kind `timedOut` or `gone`, with the console's last lines.
  @discardableResult
  public func expect(_ text: String, timeout: Duration = .seconds(60)) async throws -> String {
    try await expect("\"\(text)\"", timeout) { $0.range(of: text) }
  }

  /// Waits like ``expect(_:timeout:)`` for a regular expression.
  @discardableResult
  public func expect(matching pattern: String, timeout: Duration = .seconds(60)) async throws -> String {
    // Checked here, so that a bad pattern does not look like a machine that prints nothing.
    _ = try Regex(pattern)
    return try await expect("/\(pattern)/", timeout) { text in
      guard let regex = try? Regex(pattern) else { return nil }
      return text.firstMatch(of: regex)?.range
    }
  }

  private func expect(
    _ what: String, _ timeout: Duration, find: @escaping @Sendable (String) -> Range<String.Index>?
  ) async throws -> String {
    try await offload { [self] in
      let deadline = Deadline(after: timeout)
      while true {
        if let found = consume(find) { return found }
        guard state.withLock({ $0.line }) != nil else {
          // What came last came before the end.
          if let found = consume(find) { return found }
          throw MachineError(.gone, "the machine went off before \(name) showed \(what)", consoleTail: tail())
        }
        guard !deadline.hasPassed else {
          throw MachineError(.timedOut, "\(name) did not show \(what) within \(timeout)", consoleTail: tail())
        }
        deadline.pause(.milliseconds(20))
      }
    }
  }

  private func consume(_ find: (String) -> Range<String.Index>?) -> String? {
    state.withLock { state in
      let text = String(decoding: state.text[state.consumed...], as: UTF8.self)
      guard let range = find(text) else { return nil }
      let found = String(text[..<range.upperBound])
      // A character of which only a part has arrived counts as U+FFFD in `text`, but never lies before a match's end.
      state.consumed = min(state.consumed + found.utf8.count, state.text.count)
      return found
    }
  }

  /// Treats everything printed so far as consumed and handed out.
  public func skip() {
    state.withLock { state in
      state.consumed = state.text.count
      state.taken = state.raw.count
    }
  }

  /// Everything ever printed, without escape sequences and carriage returns.
  public var transcript: String {
    state.withLock { String(decoding: $0.text, as: UTF8.self) }
  }

  /// What was printed since the machine was last switched on, as ``transcript``.
  var transcriptOfThisLife: String {
    state.withLock { String(decoding: $0.text[$0.lives...], as: UTF8.self) }
  }

  /// What has been consumed since the last call, as a terminal would show it.
  public func takeTranscript() -> String {
    state.withLock { state in
      let end = state.consumed == 0 ? 0 : state.origins[state.consumed - 1]
      guard end > state.taken else { return "" }
      let screen = TerminalScreen(showing: state.raw[state.taken..<end])
      state.taken = end
      return screen.text
    }
  }

  /// The last lines printed.
  public func tail(lines count: Int = 25) -> String {
    let raw = state.withLock { Array($0.raw.suffix(16384)) }
    return TerminalScreen(showing: raw).text.split(separator: "\n").suffix(count).joined(separator: "\n")
  }
}
