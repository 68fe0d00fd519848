import ArgumentParser
import CLinux
import CommandLineArguments
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
    let call = parsedCall(verbFirst(arguments), of: Mailboot.self) { $0 is any Verb }
    switch call {
    case .verb(let command): return (command as? any Verb)?.perform(terminal) ?? 64
    case .answer(let text):
      if !text.isEmpty { say(text) }
      return 0
    case .refusal(let text):
      tell(terminal.coloured("error:", .red) + " " + text)
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

  /// Every option may stand before the verb (both words of `config check`).
  private static func verbFirst(_ arguments: [String]) -> [String] {
    CommandLineArguments.verbFirst(
      arguments,
      optionsWithValue: [
        "--generate-completion-script", "--config", "--passphrase-fd", "--key-file", "--timeout", "--format",
        "--boots", "--svg", "--new-key-file", "--vault",
      ], families: ["config", "guard", "vault"])
  }
}
