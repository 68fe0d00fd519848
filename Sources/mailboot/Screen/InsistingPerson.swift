import Console
import Glibc
import MailbootCore
import MailbootHost
import SecretMemory

/// Lets somebody go who insists while a run takes back what it did, or waits for what does not end: the first Ctrl-C that is not heeded
/// says so, the next one ends the program where it is. That is no worse than a kill, which every step has to bear.
func letInsistingLeave(_ reactor: Reactor, _ lines: ProgressLines) {
  reactor.onIgnored = { count in
    lines.clear()
    guard count > 1 else {
      return tell("warning: this is not to be left half done; Ctrl-C once more leaves it all the same")
    }
    TerminalPrompt.restoreIfNeeded()
    tell("error: left half done: `mailboot status` says what is, `mailboot` or `mailboot lock` goes on from there")
    exit(ExitCode.interrupted.rawValue)
  }
}
