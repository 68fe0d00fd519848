import CLinux
import Glibc
import Linux
import MailbootCore

/// Our drop-ins below systemd's configuration.
struct GuardFiles {
  /// One file found in the place of ours.
  struct Found {
    var unit: String
    /// Nil: it cannot be read.
    var text: String?
    var isOurs: Bool { text.map(GuardDropIn.isOurs) ?? false }
  }

  let directory: String

  init(directory: String = "/etc/systemd/system") {
    self.directory = directory
  }

  func file(of unit: String) -> String { "\(directory)/\(unit).d/\(GuardDropIn.fileName)" }

  /// The file of one unit; nil when there is none.
  func find(_ unit: String) -> Found? {
    var status = stat()
    guard lstat(file(of: unit), &status) == 0 else { return nil }
    return Found(unit: unit, text: readSmallText(file(of: unit)))
  }

  /// Every file under the name of ours, by unit.
  func all() -> [Found] {
    (listDirectory(directory) ?? []).filter { $0.hasSuffix(".d") }.compactMap { find(String($0.dropLast(2))) }
  }

  /// Writes the file in one step, readable by all, unless it says that already.
  func write(_ text: String, for unit: String) throws(Failure) -> StepOutcome {
    if find(unit)?.text == text { return .unchanged }
    let folder = "\(directory)/\(unit).d"
    if mkdir(folder, 0o755) == 0 {
      chmod(folder, 0o755)
    } else if errno != EEXIST {
      throw .system("\(folder) cannot be made: \(errnoText())")
    }
    do {
      // systemd reads only names that end in .conf.
      try replaceFile(
        file(of: unit), with: Array(text.utf8), temporary: "\(file(of: unit)).\(getpid())", durable: true)
    } catch {
      throw Failure(error)
    }
    return .changed
  }

  /// Removes the file, and its directory when nothing else is in it.
  func remove(_ unit: String) throws(Failure) {
    guard unlink(file(of: unit)) == 0 || errno == ENOENT else {
      throw .system("\(file(of: unit)) cannot be removed: \(errnoText())")
    }
    // Not empty: somebody else's drop-ins stay.
    rmdir("\(directory)/\(unit).d")
  }
}
