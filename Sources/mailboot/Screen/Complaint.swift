import Console
import MailbootCore
import Text

/// Shows a failure: what and why, the evidence, then what to do.
struct Complaint {
  let terminal: Terminal
  let configuration: Configuration

  func show(_ failure: Failure) {
    if case .configuration(let error) = failure { return show(error) }
    tell(
      terminal.coloured("error:", .red) + terminal.wrapped("error: " + visible(failure.summary), indent: 2).dropFirst(6)
    )
    for line in evidence(failure) { tell("  | " + visible(line)) }
    if let hint = hint(for: failure, configuration: configuration) {
      tell(terminal.coloured("hint:", .bold) + terminal.wrapped("hint: " + visible(hint), indent: 2).dropFirst(5))
    }
  }

  /// One block per issue: file, line, column, key, what is wrong, what was expected.
  private func show(_ error: ConfigurationError) {
    for issue in error.issues {
      let key = issue.key.isEmpty ? "" : "\(issue.key) "
      tell(terminal.coloured("error:", .red) + visible(" \(place(issue.origin)): \(key)\(issue.message)"))
      if let expected = issue.expected { tell(terminal.coloured("hint:", .bold) + " expected \(expected)") }
    }
  }

  /// All of it as it travels to another process.
  func report(_ failure: Failure) -> FailureReport {
    var evidence = evidence(failure)
    if case .configuration(let error) = failure {
      evidence = error.issues.map { "\(place($0.origin)): \($0.key) \($0.message)" }
    }
    return FailureReport(
      code: failure.exitCode.rawValue, summary: failure.summary, evidence: evidence,
      hint: hint(for: failure, configuration: configuration))
  }

  private func evidence(_ failure: Failure) -> [String] {
    switch failure {
    case .service(_, let failure): failure.journal
    case .mount(.refused(_, let journal), _): journal
    case .inUse(let use, _): use.lines()
    case .reported(let report): report.evidence
    case .emergency(let cause, _), .rollback(let cause, _): evidence(cause)
    default: []
    }
  }
}

/// As editors and compilers write it.
func place(_ origin: Origin) -> String {
  origin.line > 0 ? "\(origin.file):\(origin.line):\(origin.column)" : origin.file
}
