import MailbootCore

@testable import MailbootConfiguration

/// What a file of this text means.
func configuration(_ toml: String) throws(ConfigurationError) -> Configuration {
  try Configuration(decoding: try TOMLSource.tree(of: toml, file: "mailboot.toml"))
}

/// What is wrong in it; nothing when all is well.
func issues(_ toml: String) -> [ConfigurationIssue] {
  do throws(ConfigurationError) {
    _ = try configuration(toml)
    return []
  } catch {
    return error.issues
  }
}

extension ConfigurationIssue {
  /// As one line: `LINE:COLUMN KEY MESSAGE | EXPECTED`.
  var line: String {
    "\(origin.line):\(origin.column) \(key) \(message)" + (expected.map { " | \($0)" } ?? "")
  }
}
