/// `mailboot` as somebody's login shell: whoever logs in can unlock and look, and nothing else.
///
/// login(1) and sshd(8) start a login shell under a name that begins with `-`, and a command as `-c COMMAND`. The command is split at
/// blanks and compared with a few words; no shell ever reads it.
public enum LoginShell {
  /// How the program was called.
  public enum Call: Equatable, Sendable {
    /// With arguments to be read as usual.
    case arguments([String])
    /// As a shell, with a command that it does not know.
    case refused(String)
  }

  /// What each verb may be given. Nothing that names a file: the caller need not be trusted with root's rights otherwise.
  private static let words: [String: Set<String>] = [
    "unlock": ["--stdin", "--raw"],
    "status": ["--format", "text", "json", "prometheus", "nagios", "--watch"],
  ]

  /// - Parameter arguments: the whole of `argv`.
  public static func call(_ arguments: [String]) -> Call {
    guard arguments.count == 3, arguments[1] == "-c" else { return .arguments(Array(arguments.dropFirst())) }
    let command = arguments[2].split { $0 == " " || $0 == "\t" }.map(String.init)
    let isNamed = ["mailboot", "/usr/sbin/mailboot"].contains(command.first)
    let rest = Array(command.dropFirst(isNamed ? 1 : 0))
    if isNamed && rest.isEmpty { return .arguments([]) }
    guard let verb = rest.first, let allowed = words[verb], rest.dropFirst().allSatisfy(allowed.contains) else {
      return .refused(arguments[2])
    }
    return .arguments(rest)
  }
}
