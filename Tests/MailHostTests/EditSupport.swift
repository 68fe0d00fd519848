import Foundation
import MailbootCore
import TestSupport

@testable import MailHost

/// A file of ours with this text.
func rendered(_ path: String, _ syntax: HostFile.Syntax, _ text: String) -> RenderedFile {
  RenderedFile(hostFile(path, syntax), source: text)
}

func hostFile(_ path: String, _ syntax: HostFile.Syntax) -> HostFile {
  HostFile(path: path, template: "", syntax: syntax, reader: .postfix)
}

/// The text of our file at a path, as the templates of this repository make it.
func ourText(
  _ path: String, on versions: DaemonVersions = .debian12, _ change: (inout HostSettings) -> Void = { _ in }
) throws -> String {
  var settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
  change(&settings)
  let files = try settings.render(on: HostFacts(versions: versions)) { name in
    try? String(contentsOf: repositoryFile("templates/\(name).mustache"), encoding: .utf8)
  }
  return files.first { $0.file.path == path }?.text ?? ""
}

func ownLine(_ name: String, _ value: String, line: Int = 3) -> HostSettings.Own.Line {
  HostSettings.Own.Line(name: name, value: value, origin: Origin(file: "mailhost.toml", line: line, column: 1))
}
