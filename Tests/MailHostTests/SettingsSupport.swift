import Foundation
import MailHost
import MailbootConfiguration
import MailbootCore
import TestSupport

/// What the files of these names and texts mean together: `mailhost.toml`, `mailhost.toml.d/10.toml`.
func hostSettings(_ files: [String: String]) throws -> HostSettings {
  let directory = try TemporaryDirectory()
  for (name, text) in files { try directory.write(name, text) }
  let merged = try MergedTOML(directory.file("mailhost.toml"), required: true)
  guard let root = merged.root else { throw CocoaError(.fileNoSuchFile) }
  return try HostSettings(decoding: root)
}

/// What is wrong in them, as `FILE:LINE:COLUMN KEY MESSAGE | EXPECTED`, by place.
func settingsIssues(_ files: [String: String]) throws -> [String] {
  do {
    _ = try hostSettings(files)
    return []
  } catch let error as ConfigurationError {
    let issues = error.issues.sorted { ($0.origin.line, $0.key) < ($1.origin.line, $1.key) }
    return issues.map { issue in
      let file = issue.origin.file.components(separatedBy: "/").last ?? ""
      return "\(file):\(issue.origin.line):\(issue.origin.column) \(issue.key) \(issue.message)"
        + (issue.expected.map { " | \($0)" } ?? "")
    }
  }
}

/// What every host has.
let neededSettings = "mail_server_hostname = \"mail.example.org\"\nadmin_email = \"alice@example.org\"\n"

/// What `/etc/mailboot/relay.toml` with this text means.
func relaySettings(_ text: String) throws -> RelaySettings {
  let directory = try TemporaryDirectory()
  try directory.write("relay.toml", text)
  let merged = try MergedTOML(directory.file("relay.toml"), required: true)
  guard let root = merged.root else { throw CocoaError(.fileNoSuchFile) }
  return try RelaySettings(decoding: root)
}
