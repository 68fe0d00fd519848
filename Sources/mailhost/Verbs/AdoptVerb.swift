import ArgumentParser
import CLinux
import Console
import Glibc
import Linux
import MailHost
import MailbootCore
import Text

struct AdoptVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "adopt", abstract: "Write mailhost.toml for a host that is there already.",
    discussion: """
      It is made of the running configuration, or with --from of the variables of the Ansible role. Nothing else is changed: \
      `mailhost plan` shows what would be. Secrets are listed, never taken over; accounts stay where they are, in the database.
      """)

  @OptionGroup var host: HostOptions

  @Option(
    help: ArgumentHelp(
      "A directory with group_vars and host_vars, or a file of them; may be repeated, the last one counts most.",
      valueName: "path"))
  var from: [String] = []

  @Option(help: ArgumentHelp("Write this file instead of /etc/mailboot/mailhost.toml.", valueName: "file"))
  var output: String?

  @Flag(help: "Keep what postfix' main.cf sets otherwise than mailhost would, as [postfix.main].")
  var keepDifferences = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let file = output ?? host.config
    if lstatExists(file) {
      throw HostFailure(
        .failed, "\(file) is there already", hint: "`mailhost adopt --output FILE` writes another one, to compare")
    }
    if keepDifferences, !from.isEmpty {
      throw HostFailure(.usage, "--keep-differences is about the running configuration, and --from about variables")
    }
    var adoption: Adoption
    if from.isEmpty {
      let running = try RunningHost.here()
      adoption = Adoption(running: running)
      try compare(running, &adoption)
    } else {
      adoption = try read(VariableFiles(from).files)
    }
    _ = try settings(adoption)
    show(adoption, terminal)
    do throws(SystemError) {
      try writeNew(file, Array(adoption.toml.utf8), temporary: file + ".adopted")
    } catch {
      throw HostFailure(geteuid() == 0 ? .failed : .notPermitted, error.text)
    }
    say("\nwrote \(visible(file))")
    let missing = adoption.missing.map(\.name)
    if missing.isEmpty {
      say("next: `mailhost plan\(file == HostOptions.standardPath ? "" : " --config \(visible(file))")`")
      return 0
    }
    say("next: say in it what \(missing.joined(separator: " and ")) is, then `mailhost plan`")
    return HostFailure.Kind.undecided.rawValue
  }

  private func read(_ files: [(file: String, text: String, rank: Int)]) throws(HostFailure) -> Adoption {
    do {
      return try Adoption(variables: files)
    } catch {
      throw wrong(error)
    }
  }

  /// What it comes to; what is missing is filled in, so that all else is looked at.
  private func settings(_ adoption: Adoption) throws(HostFailure) -> HostSettings {
    do {
      return try adoption.completed.settings(Origin(file: from.first ?? "this host", line: 0, column: 0))
    } catch {
      throw wrong(error)
    }
  }

  private func wrong(_ error: ConfigurationError) -> HostFailure {
    var failure = HostFailure(error)
    failure.hint =
      from.isEmpty
      ? "nothing was written; mend it there, or write mailhost.toml by hand"
      : "nothing was written; mend it there, or give the files of this host alone, each with --from"
    return failure
  }

  private func compare(_ running: RunningHost, _ adoption: inout Adoption) throws(HostFailure) {
    let settings = try settings(adoption)
    let files = try rendered(settings, HostFacts.here(settings), host)
    let differences = Differences(from: running, to: files)
    if keepDifferences { adoption.keep(differences) }
    let changing = keepDifferences ? differences.main.filter { $0.old == nil } : differences.main
    adoption.changes =
      (changing + differences.master).map(\.description)
      + ["dovecot, rspamd and redis get files of mailhost's own: `mailhost plan` shows them line by line"]
    if keepDifferences {
      for promise in Promises.warnings(try self.settings(adoption).own) {
        tell("warning: " + visible("\(promise.line): \(promise.consequence)"))
      }
    }
  }

  // MARK: - What is shown

  private func show(_ adoption: Adoption, _ terminal: Terminal) {
    func section(_ title: String, _ lines: [String]) {
      if lines.isEmpty { return }
      say("\n\(title):")
      for line in lines {
        for part in line.split(separator: "\n") { say("  " + visible(String(part))) }
      }
    }
    func notes(_ notes: [Adoption.Note]) -> [String] {
      notes.map { note in
        let source = note.source.isEmpty ? "" : " (\(note.source))"
        return note.name + source + (note.reason.isEmpty ? "" : ": \(note.reason)")
      }
    }
    section("found", adoption.found.map { "\($0.line)  (\($0.source))" })
    section("not found", notes(adoption.missing))
    section("secret, not taken over", notes(adoption.secrets))
    section("not taken over", notes(adoption.ignored))
    section("will change", adoption.changes)
  }
}

private func lstatExists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}
