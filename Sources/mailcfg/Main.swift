import CLinux
import Console
import Glibc
import MailbootCore

/// Outside of ``Main``: a signal may arrive in any thread.
private func endInterrupted(_: Int32) { _exit(ExitCode.interrupted) }

@main
enum Main {
  nonisolated static func main() {
    mb_leave_crashes_to_the_kernel()
    occupyStandardDescriptors()
    // A reader that has gone shows in the result of write(2).
    signal(SIGPIPE, SIG_IGN)
    // SQLite undoes what was interrupted. A shell that started us in the background wants it ignored.
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
    var arguments: Arguments?
    do throws(Failure) {
      let parsed = try Arguments(parsing: typed)
      arguments = parsed
      let status = try perform(parsed, output)
      try output.flush()
      return status
    } catch {
      if arguments?.verb == .complete { return ExitCode.failed }
      // What was found before is still true. The error that counts is the first.
      try? output.flush()
      return complain(error, arguments)
    }
  }

  private static func perform(_ arguments: Arguments, _ output: Output) throws(Failure) -> Int32 {
    switch arguments.verb {
    case .help: try help(arguments, output)
    case .lsdom: try listDomains(arguments, output)
    case .lsuser: try listUsers(arguments, output)
    case .lsalias: try listAliases(arguments, output)
    case .schemes: try listSchemes(arguments, output)
    case .complete: try complete(arguments, output)
    case .adddom: try addDomain(arguments, output)
    case .addalias: try addAlias(arguments, output)
    case .rmalias: try removeAlias(arguments, output)
    case .adduser: try addUser(arguments, output)
    case .passwd: try changePassword(arguments, output)
    case .disable, .enable: try setActive(arguments, output)
    case .set: try setLimits(arguments, output)
    case .rmdom, .rmuser: return try remove(arguments, output)
    case .import: return try importAccounts(arguments, output)
    case .export: try exportAccounts(arguments, output)
    case .check: return try checkAccounts(arguments, output)
    case .verify: return try verifyPassword(arguments, output)
    case .backup: try backUp(arguments, output)
    }
    return ExitCode.done
  }
}
