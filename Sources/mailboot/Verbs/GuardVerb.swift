import ArgumentParser
import Console
import JSON
import MailbootConfiguration
import MailbootCore
import MailbootHost
import Text

struct GuardVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guard",
    abstract: "Keep the services from starting, and anybody from writing, where the vault is not mounted.",
    subcommands: [Install.self, Remove.self, GuardStatus.self])

  struct Install: Verb {
    static let configuration = CommandConfiguration(
      commandName: "install",
      abstract: "Guard every unit of every configured service; make the bare mount point immutable.")

    @OptionGroup var common: ConfigurationOption

    func perform(_ terminal: Terminal) -> Status {
      guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
      return change(
        settings, terminal, verb: "guard install", done: "guarded", already: "guarded already",
        event: JournalEvent.guardInstalled(units:)
      ) {
        (subject, warn) throws(Failure) in try subject.install(warn: warn)
      }
    }
  }

  struct Remove: Verb {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Take back what `guard install` did.")

    @OptionGroup var common: ConfigurationOption

    func perform(_ terminal: Terminal) -> Status {
      let settings: Configuration
      do throws(Failure) {
        settings = completed(try ConfigurationFiles(path: common.config).configuration)
      } catch {
        // Our files say themselves what was guarded: a package must be removable whatever its configuration.
        tell(visible("warning: \(error.summary); what the drop-ins name is taken back"))
        settings = Configuration()
      }
      return change(
        settings, terminal, verb: "guard remove", done: "no longer guarded", already: "not guarded already",
        event: JournalEvent.guardRemoved(units:)
      ) {
        (subject, warn) throws(Failure) in try subject.remove(warn: warn)
      }
    }
  }

  struct GuardStatus: Verb {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "What is guarded: exit code 0 all of it, 3 not.")

    @OptionGroup var common: ConfigurationOption
    @Option(help: "text or json.")
    var format = OutputFormat.text

    func perform(_ terminal: Terminal) -> Status {
      guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
      let report: GuardReport
      do throws(Failure) {
        report = try Guard(configuration: settings).report()
      } catch {
        return complain(error, settings, terminal)
      }
      switch format {
      case .json: say(report.json().rendered())
      case .text: for line in lines(report) { say(visible(line)) }
      }
      return report.exitCode
    }
  }
}

/// Shows what a change of the guard has done, and notes it in the journal.
private func change(
  _ settings: Configuration, _ terminal: Terminal, verb: String, done: String, already: String,
  event: ([String]) -> JournalEvent, _ work: (Guard, (String) -> Void) throws(Failure) -> [GuardAction]
) -> Status {
  do throws(Failure) {
    try requireRoot(verb)
    let actions = try work(Guard(configuration: settings)) { tell(visible("warning: \($0)")) }
    for action in actions {
      let mark = action.outcome == .unchanged ? "already" : "       "
      say(visible("  \(mark)  \(action.subject.padded(18))  \(action.action)"))
    }
    let units = actions.filter { $0.outcome == .changed && !$0.subject.hasPrefix("/") }.map(\.subject)
    if !units.isEmpty { writeToJournal(event(units)) }
    say(actions.contains { $0.outcome == .changed } ? done : already)
    return ExitCode.done.rawValue
  } catch {
    return complain(error, settings, terminal)
  }
}

private func lines(_ report: GuardReport) -> [String] {
  let renew = "`mailboot guard install` sets it right"
  let units = report.units.map { unit in
    let (word, note) =
      switch unit.state {
      case .guarded: ("guarded", "")
      case .unguarded: ("not guarded", renew)
      case .differs: ("differs", "the configuration has changed since; \(renew)")
      case .stale: ("stale", "not configured any more; \(renew)")
      case .foreign: ("not guarded", "\(unit.file) is not ours")
      }
    return line(word, unit.name, note)
  }
  let mountPoints = report.mountPoints.map { mountPoint in
    let (word, note) =
      switch mountPoint.state {
      case .immutable: ("immutable", "")
      case .writable: ("writable", renew)
      case .notEmpty(let names): ("not empty", "in the bare directory: " + names.joined(separator: ", "))
      case .missing: ("missing", renew)
      case .unsupported: ("writable", "its file system has no immutable flag")
      case .unknown(let why): ("unknown", why)
      }
    return line(word, mountPoint.path, note)
  }
  if units.isEmpty && mountPoints.isEmpty { return ["nothing to guard: the directory is always there"] }
  return units + mountPoints + [report.isComplete ? "guarded" : "not all is guarded"]
}

private func line(_ word: String, _ subject: String, _ note: String) -> String {
  "  \(word.padded(11))  " + (note.isEmpty ? subject : "\(subject.padded(18))  \(note)")
}
