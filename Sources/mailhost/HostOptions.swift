import ArgumentParser
import Linux
import MailHost
import MailbootConfiguration
import MailbootCore

/// What every verb takes.
struct HostOptions: ParsableArguments {
  static let standardPath = "/etc/mailboot/mailhost.toml"

  @Option(
    help: ArgumentHelp("Read this file (and FILE.d/*.toml) instead of /etc/mailboot/mailhost.toml.", valueName: "file"))
  var config = standardPath

  @Option(help: ArgumentHelp("Where the templates are.", valueName: "directory", visibility: .private))
  var templates = "/usr/share/mailboot/templates"

  /// - Throws: every mistake in the files, with its place.
  func settings() throws(HostFailure) -> HostSettings {
    do throws(ConfigurationError) {
      let files = try MergedTOML(config, required: true)
      guard let root = files.root else { throw ConfigurationError(issues: []) }
      return try HostSettings(decoding: root)
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
    "--config", "--for", "--format", "--from", "--output", "--generate-completion-script", "--templates", "--keep",
    "--adopt", "--overwrite",
  ]
}
