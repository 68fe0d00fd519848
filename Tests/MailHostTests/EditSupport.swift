import MailbootConfiguration
import MailbootCore
import Testing

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
  try ourFiles(on: versions, change).first { $0.file.path == path }?.text ?? ""
}

/// All of our files, as the templates of this repository make them.
func ourFiles(
  on versions: DaemonVersions = .debian12, _ change: (inout HostSettings) -> Void = { _ in }
) throws -> [RenderedFile] {
  var settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
  change(&settings)
  return try settings.render(on: HostFacts(versions: versions), templates: repositoryTemplate)
}

func ownLine(_ name: String, _ value: String, line: Int = 3) -> HostSettings.Own.Line {
  HostSettings.Own.Line(name: name, value: value, origin: Origin(file: "mailhost.toml", line: line, column: 1))
}

/// The settings as the program reads them from a file.
func settings(of file: String) throws -> HostSettings {
  let files = try MergedTOML(file, required: true)
  return try HostSettings(decoding: #require(files.root))
}
