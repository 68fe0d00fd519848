import Foundation
import MachineKit
import Testing

/// A run of a command of ours that goes on.
public struct PendingAttempt: Sendable {
  let command: GuestCommand
  let vault: Vault

  public func end(timeout: Duration = .seconds(240)) async throws -> Attempt {
    let output = try await command.wait(timeout: timeout)
    guard let attempt = Attempt(parsing: output.standardOutput, vault) else {
      throw MachineError(.commandFailed, "attempt: \(output.stdout)\(output.stderr)")
    }
    return attempt
  }
}

/// One run of a command of ours: what it said, and what is different on the guest since.
public struct Attempt: Sendable {
  public let status: Int32
  public let stdout: String
  public let stderr: String
  /// Lines of the guest's `traces`, `<` gone and `>` come.
  public let changes: [String]
  private let vault: Vault

  /// From what the guest's `attempt` prints.
  init?(parsing output: Data, _ vault: Vault) {
    self.vault = vault
    let fields = output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard fields.count >= 4, let status = Int32(fields[0]) else { return nil }
    self.status = status
    stdout = fields[1]
    stderr = fields[2]
    changes = fields[3].split(separator: "\n").map(String.init)
  }

  private func lines(_ mark: String) -> [String] {
    stderr.split(separator: "\n").map(String.init).filter { $0.hasPrefix(mark) }
  }

  /// Expects that it said why, what to do, ended with `status`, and left the guest as it was.
  /// - Parameters:
  ///   - error: part of the one line that begins with `error:`.
  ///   - hint: part of the one line that begins with `hint:`; nil: there must be none.
  public func expectFailure(
    _ status: Int32, error: String, hint: String?, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectRefusal(status, error: error, hint: hint, sourceLocation: sourceLocation)
    expectNothingLeftBehind(sourceLocation: sourceLocation)
  }

  /// Expects message and status, whatever was changed.
  public func expectRefusal(
    _ status: Int32, error: String, hint: String?, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(self.status == status, "\(stdout)\(stderr)", sourceLocation: sourceLocation)
    #expect(lines("error: ").count == 1, "\(stderr)", sourceLocation: sourceLocation)
    #expect(lines("error: ").first?.contains(error) == true, "\(stderr)", sourceLocation: sourceLocation)
    #expect(lines("hint: ").count == (hint == nil ? 0 : 1), "\(stderr)", sourceLocation: sourceLocation)
    if let hint {
      #expect(lines("hint: ").first?.contains(hint) == true, "\(stderr)", sourceLocation: sourceLocation)
    }
  }

  /// Expects mappings, mounts, units, processes, lock, mount point and logs to be what they were before.
  public func expectNothingLeftBehind(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(changes.isEmpty, "\(stderr)", sourceLocation: sourceLocation)
  }

  /// Expects it to have ended well, saying `closing` on standard output.
  public func expectSuccess(_ closing: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(status == 0, "\(stdout)\(stderr)", sourceLocation: sourceLocation)
    #expect(stdout.contains(closing), "\(stdout)\(stderr)", sourceLocation: sourceLocation)
    #expect(lines("error: ").isEmpty, "\(stderr)", sourceLocation: sourceLocation)
  }

  /// Expects the vault to be open and mounted by it.
  public func expectOpened(sourceLocation: SourceLocation = #_sourceLocation) {
    for line in vault.traces {
      #expect(changes.contains("> \(line)"), "\(stderr)", sourceLocation: sourceLocation)
    }
  }
}
