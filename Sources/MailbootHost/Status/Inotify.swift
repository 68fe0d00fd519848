import CLinux
import Glibc
import Linux
import MailbootCore

/// What happens to the entries of a directory, told by the kernel; inotify(7).
final class Inotify: WatchSource {
  private let descriptor: Int32
  private let isRelevant: (String) -> Bool

  /// Watches for entries that are made, replaced, removed, or closed after writing.
  ///
  /// - Parameter isRelevant: by the entry's name; the directory's own end always is.
  init(directory: String, _ isRelevant: @escaping (String) -> Bool) throws(Failure) {
    self.isRelevant = isRelevant
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard descriptor >= 0 else { throw .system("inotify: \(errnoText())") }
    let events =
      IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
    guard inotify_add_watch(descriptor, directory, UInt32(truncatingIfNeeded: events)) >= 0 else {
      // The object exists already: it closes the descriptor itself.
      throw .system("\(directory) cannot be watched: \(errnoText())")
    }
  }

  deinit { close(descriptor) }

  var entry: pollfd { pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }

  /// Takes in what has come; whether anything of it was relevant.
  func changed() -> Bool {
    var relevant = false
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return relevant }
      if Self.names(buffer[..<count]).contains(where: { $0.isEmpty || isRelevant($0) }) { relevant = true }
    }
  }

  /// The names in a chunk of `struct inotify_event`: descriptor, mask, cookie and length, 4 bytes each, then the name padded with
  /// zeros. Empty for the directory itself, and for an overflow of the queue.
  static func names(_ bytes: ArraySlice<UInt8>) -> [String] {
    var names: [String] = []
    var rest = bytes
    while rest.count >= 16 {
      let length = rest.dropFirst(12).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
      names.append(String(decoding: name, as: UTF8.self))
      rest = rest.dropFirst(16 + length)
    }
    return names
  }
}
