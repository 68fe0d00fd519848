import CLinux
import Console
import Glibc
import JSON
import Linux
import MailbootCore
import MailbootHost
import MailbootStatus
import Text

/// `mailboot` as it is called: answers the plain forms of `status` itself, and is the program with all verbs for everything else.
///
/// Monitoring asks every minute, and people look before anything else. What parses arguments and TOML takes longer to load than the
/// whole answer takes: see docs/architecture.md.
@main
enum Main {
  static func main() {
    mb_leave_crashes_to_the_kernel()
    openStandardDescriptors()
    let format = plainStatus(CommandLine.arguments)
    if let format, let configuration = ConfigurationSnapshot.current() {
      let report = StatusReader(configuration: configuration).report()
      say(report.rendered(format, Terminal()))
      exit(report.exitStatus(format))
    }
    exit(becomeFullProgram(format))
  }

  /// The format that is asked for; nil: the arguments say something else.
  private static func plainStatus(_ arguments: [String]) -> StatusFormat? {
    let words = arguments.dropFirst()
    if words.elementsEqual(["status"]) { return .text }
    guard words.count == 3, words.starts(with: ["status", "--format"]) else { return nil }
    return words.last.flatMap(StatusFormat.init(rawValue:))
  }

  /// Executes the program with all verbs, under our name and with our arguments. Returns only when that fails.
  private static func becomeFullProgram(_ format: StatusFormat?) -> Int32 {
    // Nobody is to be attached already when a passphrase comes.
    _ = mb_prctl_set_dumpable(0)
    let terminal = Terminal()
    var remedy = "install the package anew: `apt install --reinstall ./mailboot_….deb`"
    do throws(Failure) {
      let program = try InstalledProgram.all.path()
      execv(program, CommandLine.unsafeArgv)
      let code = errno
      if code == EACCES || code == EPERM {
        remedy = "programs must be allowed to start programs here: sudo's noexec is not"
      }
      throw .system("\(program) cannot be run: \(errnoText(code))")
    } catch {
      tell(terminal.coloured("error:", .red) + " " + visible(error.summary))
      tell(terminal.coloured("hint:", .bold) + " " + remedy)
      return sayUnknown(error.summary, format, otherwise: error.exitCode.rawValue)
    }
  }
}
