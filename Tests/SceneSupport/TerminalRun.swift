import MachineKit
import Testing

/// One run of a command at root's shell on the second line, with somebody typing.
public struct TerminalRun: Sendable {
  private let host: MailHost
  private var console: SerialConsole { host.guest.ttyS1 }

  /// Begins it; the shell there is idle.
  public init(_ host: MailHost, _ command: String) async throws {
    self.host = host
    // A shell that was put back in time together with the machine shows its prompt again only when asked.
    try console.send("\n")
    try await console.expect("# ")
    try console.send("at-terminal \(GuestTools.quoted(command))\n")
  }

  public func type(_ text: String) throws { try console.send(text) }

  @discardableResult
  public func expect(_ text: String) async throws -> String { try await console.expect(text, timeout: .seconds(120)) }

  /// Waits for its end.
  /// - Returns: what it printed since the last `expect`, and lines of `diff` for what is different on the guest and the terminal.
  public func end(
    _ status: Int32, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (said: String, changes: [String]) {
    let said = try await console.expect(matching: "ended with status=[0-9]+\\.", timeout: .seconds(240))
    #expect(said.hasSuffix("status=\(status)."), "\(said)", sourceLocation: sourceLocation)
    let changes = try await host.guest.run("diff /run/terminal/before /run/terminal/after").stdout
    return (said, changes.split(separator: "\n").map(String.init).filter { $0.hasPrefix("<") || $0.hasPrefix(">") })
  }
}
