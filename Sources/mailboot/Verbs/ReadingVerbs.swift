import ArgumentParser
import Console
import JSON
import MailbootConfiguration
import MailbootCore
import MailbootHost

struct Verify: Verb {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Run the checks and probes on an open vault; changes nothing.")

  @OptionGroup var common: ConfigurationOption
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) -> Status {
    guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
    let lines = ProgressLines(terminal)
    let result: VerifySequence
    do throws(Failure) {
      try requireRoot("verify")
      let reactor = try Reactor()
      reactor.onTick = { lines.refresh() }
      letInsistingLeave(reactor, lines)
      let verifier = try Verifier(configuration: settings, reactor: reactor, warn: { tell("warning: \($0)") })
      result = try verifier.run(report: { lines.take($0) })
    } catch {
      lines.clear()
      return complain(error, settings, terminal)
    }
    lines.clear()
    if format == .json { say(json(result).rendered()) }
    if let failure = result.failure { return complain(failure, settings, terminal) }
    if format == .text { say("all is well") }
    return ExitCode.done.rawValue
  }

  private func json(_ result: VerifySequence) -> JSONText {
    .object([
      (
        "checks",
        .array(
          result.verdicts.records.map { record in
            .object([
              ("name", .string(record.name.rawValue)), ("result", .string(record.result.rawValue)),
              ("detail", .string(record.detail)), ("hint", .optional(record.hint)),
            ])
          })
      ),
      (
        "services",
        .array(
          result.probes.sorted { $0.key < $1.key }.map { name, probe in
            .object([
              ("name", .string(name)), ("answered", .bool(probe.answered)), ("detail", .string(probe.detail)),
            ])
          })
      ),
    ])
  }
}

struct PlanVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "What unlock would do from here; changes nothing.")

  @OptionGroup var common: ConfigurationOption
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) -> Status {
    guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
    do throws(Failure) {
      try requireRoot("plan")
      let entries = try Planner(configuration: settings, reactor: try Reactor()).plan()
      switch format {
      case .json:
        let items = entries.map { entry in
          JSONText.object([
            ("step", .string(entry.step)), ("outcome", .string(entry.outcome.rawValue)),
            ("action", .string(entry.action)),
          ])
        }
        say(JSONText.array(items).rendered())
      case .text:
        for entry in entries {
          say("  \(entry.outcome == .unchanged ? "already" : "       ")  \(entry.step.padded(18))  \(entry.action)")
        }
      }
      return ExitCode.done.rawValue
    } catch {
      return complain(error, settings, terminal)
    }
  }
}

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "The configuration.", subcommands: [Check.self, Show.self])

  struct Check: Verb {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "Check the configuration; file, line and column of each error.")

    @OptionGroup var common: ConfigurationOption
    @Option(help: "text or json.")
    var format = OutputFormat.text

    func perform(_ terminal: Terminal) -> Status {
      do throws(Failure) {
        let files = try ConfigurationFiles(path: common.config).files
        switch format {
        case .text:
          say(files.isEmpty ? "no configuration file: the defaults apply" : "sound: " + files.joined(separator: ", "))
        case .json:
          say(
            JSONText.object([("files", .array(files.map(JSONText.string))), ("errors", .array([]))]).rendered())
        }
        return ExitCode.done.rawValue
      } catch {
        if format == .json, case .configuration(let errors) = error { say(json(errors).rendered()) }
        return complain(error, Configuration(), terminal)
      }
    }

    private func json(_ error: ConfigurationError) -> JSONText {
      let items = error.issues.map { issue in
        JSONText.object([
          ("file", .string(issue.origin.file)), ("line", .integer(Int64(issue.origin.line))),
          ("column", .integer(Int64(issue.origin.column))), ("key", .string(issue.key)),
          ("message", .string(issue.message)), ("expected", .optional(issue.expected)),
        ])
      }
      return .object([("files", .null), ("errors", .array(items))])
    }
  }

  struct Show: Verb {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "The configuration in force, defaults written out, as TOML.")

    @OptionGroup var common: ConfigurationOption
    @Option(help: "text (TOML) or json.")
    var format = OutputFormat.text

    func perform(_ terminal: Terminal) -> Status {
      guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
      switch format {
      case .text: say(settings.text())
      case .json: say(settings.json().rendered())
      }
      return ExitCode.done.rawValue
    }
  }
}
