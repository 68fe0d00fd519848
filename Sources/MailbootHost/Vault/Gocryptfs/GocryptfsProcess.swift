import CLinux
import Glibc
import Linux
import MailbootCore

/// The processes that serve an encrypted directory, whoever has started them.
enum GocryptfsProcess {
  /// By the program's name, and the directory or the mount point among its arguments.
  static func all(directory: String, mount: String, proc: String = "/proc") -> [Int32] {
    let wanted = Set([directory, mount] + [resolvedPath(directory)].compactMap { $0 })
    return ProcessEntry.all(proc: proc).filter { entry in
      entry.command == "gocryptfs" && !wanted.isDisjoint(with: paths(of: entry.pid, proc: proc))
    }.map(\.pid)
  }

  /// Its arguments as paths, relative to where it is now: once it has mounted, that is `/`.
  private static func paths(of pid: Int32, proc: String) -> [String] {
    guard let bytes = readSmallFile("\(proc)/\(pid)/cmdline") else { return [] }
    let folder = resolvedPath("\(proc)/\(pid)/cwd") ?? "/"
    return bytes.split(separator: 0).dropFirst().map { argument in
      let text = String(decoding: argument, as: UTF8.self)
      return plain(text.hasPrefix("/") ? text : folder + "/" + text)
    }
  }

  /// Without `.` and `..`, by the letters alone: to look at the mount point may block.
  static func plain(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Waits for them to end by themselves, and ends them by force when they don't.
  /// - Parameter grace: seconds; 0: by force at once.
  /// - Returns: whether there were any.
  static func end(
    directory: String, mount: String, grace: Double, _ reactor: Reactor
  ) throws(Failure) -> Bool {
    let deadline = Reactor.monotonic() + grace
    var found = false
    while true {
      let pids = all(directory: directory, mount: mount)
      if pids.isEmpty { return found }
      found = true
      if Reactor.monotonic() >= deadline {
        try ProcessEnding(reactor: reactor).end(pids, byForceAtOnce: true) { pid in
          all(directory: directory, mount: mount).contains(pid)
        }
        return true
      }
      try reactor.sleep(seconds: 0.02)
    }
  }
}
