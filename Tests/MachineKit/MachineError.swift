import Glibc

/// Why something with a machine did not work, told so that a failed test needs no second run to be understood.
public struct MachineError: Error, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// It did not happen in time.
    case timedOut
    /// The machine is off, or went off meanwhile.
    case gone
    /// The guest agent or qemu's monitor answered with an error.
    case refused
    /// A command in the guest ended with another status than 0.
    case commandFailed
    /// Something on this host: a tool, a file, a system call.
    case host
  }

  public let kind: Kind
  /// One sentence about what was tried and what happened.
  public let what: String
  /// The last lines of the machine's console; `nil` when no machine is involved.
  public var consoleTail: String?

  public init(_ kind: Kind, _ what: String, consoleTail: String? = nil) {
    self.kind = kind
    self.what = what
    self.consoleTail = consoleTail
  }

  /// A failed system call on this host; `code` is an `errno` value.
  static func system(_ call: String, code: Int32) -> MachineError {
    MachineError(.host, "\(call): \(String(cString: strerror(code)))")
  }

  public var description: String {
    guard let consoleTail, !consoleTail.isEmpty else { return what }
    return "\(what)\n--- the console's last lines ---\n\(consoleTail)\n---"
  }
}
