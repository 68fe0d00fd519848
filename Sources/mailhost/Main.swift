import ArgumentParser
import CLinux
import CommandLineArguments
import Console
import Glibc

@main
enum Main {
  static func main() {
    mb_leave_crashes_to_the_kernel()
    // A reader that has gone shows in the result of write(2).
    signal(SIGPIPE, SIG_IGN)
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  private static func run(_ typed: [String]) -> Status {
    let terminal = Terminal()
    let words = verbFirst(typed, optionsWithValue: Mailhost.optionsWithValue, families: Mailhost.families)
    switch parsedCall(words, of: Mailhost.self, isVerb: { $0 is any Verb }) {
    case .verb(let command):
      guard let verb = command as? any Verb else { return HostFailure.Kind.usage.rawValue }
      do throws(HostFailure) {
        return try verb.perform(terminal)
      } catch {
        return complain(error, terminal)
      }
    case .answer(let text):
      if !text.isEmpty { say(text) }
      return 0
    case .refusal(let text):
      let verb = words.first { !$0.hasPrefix("-") }
      return complain(HostFailure(.usage, text, hint: "see `mailhost \(verb.map { "\($0) " } ?? "")--help`"), terminal)
    }
  }
}
