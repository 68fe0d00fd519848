/// `mailboot` as somebody's login shell: whoever logs in can unlock and look, and nothing else.
///
/// login(1) and sshd(8) start a login shell under a name that begins with `-`, and a command as `-c COMMAND`. The command is split at
/// blanks and compared with a few words; no shell ever reads it.
enum LoginShell {
  /// How the program was called.
  enum Call: Equatable {
    /// With arguments to be read as usual.
    case arguments([String])
    /// As a shell, with a command that it does not know.
    case refused(String)
  }

  /// What each verb may be given. Nothing that names a file: the caller may be a stranger to this host with root's rights.
  private static let options: [String: Set<String>] = [
    "unlock": ["--stdin", "--raw"],
    "status": ["--format", "text", "json", "prometheus", "nagios", "--watch"],
  ]

  /// - Parameter words: the whole of `argv`.
  static func call(_ words: [String]) -> Call {
    guard words.count == 3, words[1] == "-c" else { return .arguments(Array(words.dropFirst())) }
    var command = words[2].split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    if let first = command.first, ["mailboot", "/usr/sbin/mailboot"].contains(first) { command.removeFirst() }
    guard let verb = command.first else { return words[2].contains("mailboot") ? .arguments([]) : .refused(words[2]) }
    let allowed = options[verb] ?? []
    guard options[verb] != nil, command.dropFirst().allSatisfy(allowed.contains) else { return .refused(words[2]) }
    return .arguments(command)
  }
}
