import CLinux
import Glibc
import Linux

/// The executables of `notify.d`, and those that are not run because somebody other than root could have put them there.
public struct NotifyScripts: Sendable {
  /// Why something is not run.
  public struct Problem: Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var reason: String

    public var description: String { "\(path) is not run: \(reason)" }
  }

  private let directory: String
  private var reported: Set<Problem> = []

  public init(directory: String) {
    self.directory = directory
  }

  /// What is to be run now, in the order of the names, and the problems that were not there when this was last asked.
  public mutating func current() -> (scripts: [String], newProblems: [Problem]) {
    let (scripts, problems) = Self.list(directory)
    let new = problems.filter { !reported.contains($0) }
    // One that went away and comes back is news again.
    reported = Set(problems)
    return (scripts, new)
  }

  /// Looks at everything in the directory. One that does not exist has nothing in it.
  static func list(_ directory: String) -> (scripts: [String], problems: [Problem]) {
    guard let names = listDirectory(directory) else {
      return errno == ENOENT ? ([], []) : ([], [Problem(path: directory, reason: errnoText())])
    }
    if let reason = untrustedReason(directory) { return ([], [Problem(path: directory, reason: reason)]) }
    var scripts: [String] = []
    var problems: [Problem] = []
    for name in names where !isLeftover(name) {
      let path = "\(directory)/\(name)"
      if let reason = hindrance(name, path) {
        problems.append(Problem(path: path, reason: reason))
      } else {
        scripts.append(path)
      }
    }
    return (scripts, problems)
  }

  private static func hindrance(_ name: String, _ path: String) -> String? {
    guard name.utf8.allSatisfy(isPlain) else { return "its name has other characters than letters, digits, \"_-.\"" }
    if let reason = untrustedReason(path) { return reason }
    guard let status = fileStatus(path) else { return errnoText() }
    guard mb_s_isreg(status.st_mode) != 0 else { return "it is not a file" }
    return status.st_mode & 0o111 == 0 ? "it is not executable" : nil
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || "_-.".utf8.contains(byte)
  }

  /// What editors and dpkg leave behind, and what is hidden: nobody expects it to run, so it is not worth a word.
  private static func isLeftover(_ name: String) -> Bool {
    let ends = ["~", ".bak", ".swp", ".orig", ".rpmsave", ".ucf-old", ".ucf-new", ".ucf-dist"]
    return name.hasPrefix(".") || name.hasPrefix("#") || name.contains(".dpkg-") || ends.contains { name.hasSuffix($0) }
  }
}
