import ArgumentParser
import Linux
import MailHost
import MailbootConfiguration
import MailbootCore

/// What every verb takes.
struct HostOptions: ParsableArguments {
  static let standardPath = mailHostSettingsPath

  @Option(
    help: ArgumentHelp("Read this file (and FILE.d/*.toml) instead of /etc/mailboot/mailhost.toml.", valueName: "file"))
  var config = standardPath

  @Option(help: ArgumentHelp("Where the templates are.", valueName: "directory", visibility: .private))
  var templates = "/usr/share/mailboot/templates"

  @Option(
    help: ArgumentHelp(
      "Work on the system below this directory, as while an image is made; its services are not touched.",
      valueName: "directory"))
  var root = "/"

  /// Without a slash at its end; empty: this host.
  var prefix: String {
    var prefix = root[...]
    while prefix.hasSuffix("/") { prefix = prefix.dropLast() }
    return String(prefix)
  }

  /// - Throws: every mistake in the files, with its place.
  func settings() throws(HostFailure) -> HostSettings { try read().settings }

  /// Whether there is a file of settings at all.
  var hasSettings: Bool { fileStatus(config) != nil }

  /// The settings, and what stands in the files for them.
  func read() throws(HostFailure) -> (settings: HostSettings, tree: ConfigurationNode) {
    do throws(ConfigurationError) {
      let files = try MergedTOML(config, required: true)
      guard let root = files.root else { throw ConfigurationError(issues: []) }
      return (try HostSettings(decoding: root), root)
    } catch {
      var failure = HostFailure(error)
      if fileStatus(config) == nil {
        failure.hint =
          "`mailhost adopt` writes one for the host as it is; a new one begins with "
          + "/usr/share/doc/mailboot/examples/mailhost.toml"
      }
      throw failure
    }
  }

  /// The text of a template by its name.
  func template(_ name: String) -> String? { readSmallText("\(templates)/\(name).mustache") }
}

extension Mailhost {
  /// Those whose next word is their value.
  static let optionsWithValue: Set = [
    "--config", "--for", "--format", "--generate-completion-script", "--templates", "--keep", "--adopt", "--overwrite",
    "--root", "--from", "--output", "--selector", "--algorithm", "--show",
    "--recipient", "--identity", "--of-host", "--login", "--port", "--to",
  ]
  /// Verbs that have verbs of their own.
  static let families: Set = ["dkim", "dns", "queue", "limits"]
}
