import Console
import Text

/// Shows a failure: what and why, what another program said, then what to do.
/// - Returns: its exit code.
func complain(_ failure: HostFailure, _ terminal: Terminal) -> Status {
  for text in failure.texts {
    let lines = terminal.wrapped("error: " + visible(text), indent: 2)
    tell(terminal.coloured("error:", .red) + lines.dropFirst(6))
  }
  for line in failure.evidence { tell("  | " + visible(line)) }
  if let hint = failure.hint {
    tell(terminal.coloured("hint:", .bold) + terminal.wrapped("hint: " + visible(hint), indent: 2).dropFirst(5))
  }
  return failure.kind.rawValue
}
