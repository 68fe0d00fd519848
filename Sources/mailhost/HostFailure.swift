import Console
import MailbootCore

/// Why a call of `mailhost` came to nothing: what and why. What to do about it is `hint`.
struct HostFailure: Error {
  enum Kind: Int32 {
    case failed = 1
    case undecided = 2
    /// As `mailboot` has it for what cannot be verified.
    case locked = 13
    case usage = 64
    case notPermitted = 77
    case configuration = 78
    case interrupted = 130
  }

  var kind: Kind
  /// One or several, such as all errors of the configuration.
  var texts: [String]
  /// What another program said.
  var evidence: [String] = []
  var hint: String?

  init(_ kind: Kind = .failed, _ text: String, evidence: [String] = [], hint: String? = nil) {
    self.kind = kind
    texts = [text]
    self.evidence = evidence
    self.hint = hint
  }

  init(_ error: ConfigurationError) {
    kind = .configuration
    texts = error.issues.map { issue in
      let place = issue.origin
      let location = place.line > 0 ? "\(place.file):\(place.line):\(place.column)" : place.file
      let key = issue.key.isEmpty ? "" : "\(issue.key) "
      return "\(location): \(key)\(issue.message)" + (issue.expected.map { "; expected \($0)" } ?? "")
    }
    hint = "the keys are in mailhost.toml(5)"
  }
}
