import ArgumentParser
import CLinux
import Glibc

@main
enum Main {
  static func main() {
    // A passphrase passes through this process: no core dump, no debugger of another process of the same user.
    _ = mb_prctl_set_dumpable(0)
    _ = mb_setrlimit(mb_rlimit_core, 0, 0)
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  private static func run(_ arguments: [String]) -> Status {
    let terminal = Terminal()
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
      tell(terminal.coloured("hint:", .bold) + " see `mailboot --help`")
      return 64
    }
  }

  /// Moves the verb to the front: every option may stand before it.
  static func verbFirst(_ arguments: [String]) -> [String] {
    let withValue: Set = ["--config", "--passphrase-fd", "--key-file", "--timeout", "--format"]
    var before: [String] = []
    var rest = arguments[...]
    while let argument = rest.first, argument.hasPrefix("-"), argument != "--" {
      before.append(rest.removeFirst())
      if withValue.contains(argument), let value = rest.popFirst() { before.append(value) }
    }
    guard let verb = rest.first, !before.isEmpty, verb != "--" else { return arguments }
    let words = verb == "config" ? 2 : 1
    return rest.prefix(words) + before + rest.dropFirst(words)
  }
}
