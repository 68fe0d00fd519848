import Glibc
import Linux
import MailbootCore

/// A program of this package that another one runs: beside it in the build folder, in `libexec` when installed, never looked for in
/// `PATH`.
public enum InstalledProgram: String {
  case worker = "mailboot-worker"

  /// Where the program lies that runs. To be asked at its start: after an upgrade it is another file's path, and the kernel calls ours
  /// deleted.
  static func own() throws(Failure) -> String {
    guard let own = resolvedPath("/proc/self/exe") else {
      throw .system("cannot tell where mailboot is installed: /proc is not readable, or mailboot was just replaced")
    }
    return own
  }

  /// The absolute path.
  public func path() throws(Failure) -> String {
    let own = try Self.own()
    let directory = "/" + own.split(separator: "/").dropLast().joined(separator: "/")
    let candidates = ["\(directory)/\(rawValue)", "\(directory)/../libexec/mailboot/\(rawValue)"]
    guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw .system("/usr/libexec/mailboot/\(rawValue) is missing: looked for \(candidates.joined(separator: ", "))")
    }
    return path
  }
}
