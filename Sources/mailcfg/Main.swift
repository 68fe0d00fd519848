import ArgumentParser
import CLinux
import CommandLineArguments
import Glibc
import MailAccounts
import MailbootCore

/// Outside of ``Main``: a signal may arrive in any thread.
private func endInterrupted(_: Int32) { _exit(ExitCode.interrupted.rawValue) }

@main
enum Main {
  nonisolated static func main() {
    mb_leave_crashes_to_the_kernel()
    occupyStandardDescriptors()
    // A reader that has gone shows in the result of write(2).
    signal(SIGPIPE, SIG_IGN)
    // While something is written, it waits. A shell that started us in the background wants it ignored.
    let before = signal(SIGINT, endInterrupted)
    if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(SIGINT, SIG_IGN) }
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  /// A caller that has closed 0, 1 or 2 would have our messages written into whatever is opened next, such as the database. What
  /// stands in for them can be used in the wrong direction only, so that reading and writing fail as before.
  private static func occupyStandardDescriptors() {
    for descriptor: Int32 in 0...2 where mb_fcntl_int(descriptor, F_GETFD, 0) < 0 {
      _ = mb_open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY, 0)
    }
  }

  private static func run(_ typed: [String]) -> Int32 {
    let output = Output()
    var called: (any Verb)?
    do throws(Failure) {
      var code = ExitCode.done
      if let verb = try parsed(typed, output) {
        called = verb
        code = try verb.perform(output)
      }
      try output.flush()
      return code.rawValue
    } catch {
      // What was found before is still true. The error that counts is the first.
      try? output.flush()
      let code = complain(error, called?.database)
      return code == .failure ? called?.failureStatus ?? code.rawValue : code.rawValue
    }
  }

  /// The verb of the call; nil when all there is to do is to print an answer.
  private static func parsed(_ typed: [String], _ output: Output) throws(Failure) -> (any Verb)? {
    let words = verbFirst(typed, optionsWithValue: Mailcfg.optionsWithValue)
    let verbs = words.prefix { !$0.hasPrefix("-") }
    // `help lsdom` is about a verb, too.
    if let first = verbs.first {
      for word in first == "help" ? verbs.prefix(2) : verbs.prefix(1) { try requireVerb(word) }
    }
    switch parsedCall(words, of: Mailcfg.self, isVerb: { $0 is any Verb }) {
    case .verb(let command): return command as? any Verb
    case .answer(let text):
      if !text.isEmpty { output.line(text) }
      return nil
    case .refusal(let text):
      throw .usage(text, hint: verbs.first.map { "see \(call: "help", $0)" } ?? overviewHint)
    }
  }
}
