import CLinux
import Glibc
import Linux
import MailbootCore

/// The metrics as a file for node_exporter's textfile collector, replaced in one step on every change.
///
/// The directory may belong to root or to whoever collects, and be writable by nobody else.
public struct MetricsFile: Sendable {
  private let directory: String
  private let name: String
  /// What was complained about last: the same again is not worth another word.
  private var complaint: String?
  private var written: String?

  /// - Parameter path: absolute, not ending in a slash.
  public init(path: String) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    directory = slash == path.startIndex ? "/" : String(path[..<slash])
    name = String(path[path.index(after: slash)...])
  }

  /// Writes the metrics unless the file has them already.
  ///
  /// - Returns: what is wrong, when it cannot be written and this is not what was said the last time.
  public mutating func update(_ text: String) -> String? {
    do throws(Failure) {
      let folder = try openDirectory()
      defer { close(folder) }
      if written != text || faccessat(folder, name, F_OK, 0) != 0 { try replace(text, in: folder) }
      written = text
      complaint = nil
      return nil
    } catch {
      let problem = "the metrics are not written: \(error.summary)"
      defer { complaint = problem }
      return problem == complaint ? nil : problem
    }
  }

  /// Takes the file away: whoever collects then sees no metrics instead of old ones.
  public mutating func remove() {
    written = nil
    // A directory that is not as it should be holds nothing of ours.
    guard let folder = try? openDirectory() else { return }
    defer { close(folder) }
    unlinkat(folder, name, 0)
  }

  private func replace(_ text: String, in folder: Int32) throws(Failure) {
    // node_exporter reads only names that end in .prom: it never sees this one.
    let temporary = ".\(name).new"
    do {
      try replaceFile(name, with: Array(text.utf8), temporary: temporary, in: folder)
    } catch {
      throw .system("\(directory)/\(error.text)")
    }
  }

  /// The directory, opened step by step and held: what is made and renamed in it cannot end up elsewhere.
  ///
  /// Debian gives `/var/lib/prometheus` to its user, who could put a link in place of what is in there; so no link is followed.
  private func openDirectory() throws(Failure) -> Int32 {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
    var walked = ""
    var descriptor = mb_open("/", flags, 0)
    for part in directory.split(separator: "/") where descriptor >= 0 {
      walked += "/" + part
      let next = mb_openat(descriptor, String(part), flags, 0)
      let code = errno
      close(descriptor)
      errno = code
      descriptor = next
    }
    guard descriptor >= 0 else {
      let isOther = errno == ENOTDIR || errno == ELOOP
      throw .system("\(walked): " + (isOther ? "not a directory, or a symbolic link to one" : errnoText()))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & 0o022 == 0 else {
      close(descriptor)
      throw .system("\(directory) is writable by others than its owner")
    }
    return descriptor
  }
}
