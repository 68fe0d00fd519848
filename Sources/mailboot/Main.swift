import ArgumentParser
import CLinux
import Console
import Glibc
import MailbootCore
import MailbootHost

@main
enum Main {
  static func main() {
    mb_leave_crashes_to_the_kernel()
    // A passphrase passes through this process: no core dump, no debugger of another process of the same user.
    _ = mb_prctl_set_dumpable(0)
    _ = mb_setrlimit(mb_rlimit_core, 0, 0)
    openStandardDescriptors()
    exit(run(CommandLine.arguments))
  }

  private static func run(_ words: [String]) -> Status {
    let terminal = Terminal()
    let arguments: [String]
    switch LoginShell.call(words) {
    case .arguments(let given): arguments = given
    case .refused(let command):
      let refusal = Failure.usage(
        "this login cannot run \"\(command)\"", hint: "it knows `mailboot unlock --stdin` and `mailboot status`")
      return complain(refusal, Configuration(), terminal)
    }
    do {
      let command = try Mailboot.parseAsRoot(verbFirst(arguments))
      if let verb = command as? any Verb { return verb.perform(terminal) }
      // `mailboot config` and the like: ArgumentParser has the help.
      var help = command
      try help.run()
      return 0
    } catch {
      let text = Mailboot.message(for: error)
      if Mailboot.exitCode(for: error).isSuccess {
        say(Mailboot.fullMessage(for: error))
        return 0
      }
      tell(terminal.coloured("error:", .red) + " " + (text.isEmpty ? Mailboot.fullMessage(for: error) : text))
      tell(terminal.coloured("hint:", .bold) + " see `\(helpCommand(arguments))`")
      return 64
    }
  }

  /// What shows the options of the verb that was meant.
  private static func helpCommand(_ arguments: [String]) -> String {
    let words = verbFirst(arguments).prefix(2).prefix { !$0.hasPrefix("-") }
    let verbs = Mailboot.configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let verb = words.first else {
      // What was given without a verb may be an option of `unlock`, or of no verb at all.
      return arguments.contains("--emergency") || arguments.contains("--kill")
        ? "mailboot lock --help" : "mailboot unlock --help"
    }
    guard verbs.contains(verb) else { return "mailboot --help" }
    return "mailboot \(verb) --help"
  }

  /// Verbs that have verbs of their own.
  private static let verbFamilies: Set = ["config", "guard"]

  /// Moves the verb (both words of `config check`) to the front: every option may stand before it.
  static func verbFirst(_ arguments: [String]) -> [String] {
    let withValue: Set = [
      "--generate-completion-script", "--config", "--passphrase-fd", "--key-file", "--timeout", "--format",
      "--boots", "--svg",
    ]
    var words: [String] = []
    var others: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        others.append(argument)
        break
      }
      if argument.hasPrefix("-") {
        others.append(argument)
        if withValue.contains(argument), let value = rest.popFirst() { others.append(value) }
      } else if words.allSatisfy({ $0 == "help" || verbFamilies.contains($0) }) {
        words.append(argument)
      } else {
        others.append(argument)
      }
    }
    return words + others + rest
  }
}
