import ArgumentParser
import Console
import Glibc
import Linux
import MailHost

struct RenderVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Write all files into a directory; the host is not touched.",
    discussion: "For review, for a repository, for Ansible, and to see what another version would get.")

  @OptionGroup var host: HostOptions

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "Another version than the installed one: dovecot=2.4, postfix=3.10, debian=13; may be repeated.",
      valueName: "name=version"))
  var versions: [String] = []

  @Argument(help: "A directory that is empty or not there yet.")
  var directory: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let settings = try host.settings()
    let facts = try HostFacts.here(settings, asked: versions)
    let files = try rendered(settings, facts, host)
    if mkdir(directory, 0o755) != 0, errno != EEXIST || listDirectory(directory)?.isEmpty != true {
      throw HostFailure(
        .failed, "\(directory) \(errno == EEXIST ? "is not an empty directory" : "cannot be made: \(errnoText())")")
    }
    for file in files {
      do throws(SystemError) {
        try writeNewFile(directory + file.file.path, file.text)
      } catch {
        throw HostFailure(.failed, error.text)
      }
    }
    say(
      "\(files.count) files for postfix \(facts.versions.postfix), dovecot \(facts.versions.dovecot), "
        + "rspamd \(facts.versions.rspamd), \(facts.versions.redisName) \(facts.versions.redis)")
    return 0
  }
}

/// All files of ours, or what is wrong with the installation.
func rendered(
  _ settings: HostSettings, _ facts: HostFacts, _ options: HostOptions
) throws(HostFailure) -> [RenderedFile] {
  do {
    return try settings.render(on: facts, templates: options.template)
  } catch {
    throw HostFailure(.failed, error.text, hint: "reinstall the package mailboot")
  }
}

/// Writes a file that is not there yet, with the directories above it.
private func writeNewFile(_ path: String, _ text: String) throws(SystemError) {
  var parent = ""
  for name in path.split(separator: "/").dropLast() {
    parent += (parent.isEmpty && !path.hasPrefix("/") ? "" : "/") + name
    if mkdir(parent, 0o755) != 0, errno != EEXIST { throw SystemError("\(parent): \(errnoText())") }
  }
  try replaceFile(path, with: Array(text.utf8), temporary: path + ".new")
}
