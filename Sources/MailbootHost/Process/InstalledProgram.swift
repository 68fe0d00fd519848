import Glibc
import Linux
import MailbootCore

/// A program of this package that another one runs: beside it in the build folder, in `libexec` when installed, never looked for in
/// `PATH`.
public enum InstalledProgram: String {
  case worker = "mailboot-worker"

  /// The absolute path.
  public func path() throws(Failure) -> String {
    guard let own = resolvedPath("/proc/self/exe") else {
      throw .system("cannot tell where mailboot is installed: /proc is not readable")
    }
    let directory = "/" + own.split(separator: "/").dropLast().joined(separator: "/")
    let candidates = ["\(directory)/\(rawValue)", "\(directory)/../libexec/mailboot/\(rawValue)"]
    guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw .system("/usr/libexec/mailboot/\(rawValue) is missing: looked for \(candidates.joined(separator: ", "))")
    }
    return path
  }
}
