import CLinux
import Glibc
import Linux

/// Asks a file system for its space, in a thread of its own: a program that serves it through FUSE may never answer, and whoever
/// waits for it can then not even be interrupted.
final class SpaceQuestion {
  enum Answer {
    case space(statvfs)
    /// The kernel's errno: ENOTCONN when the program behind it has ended.
    case failed(Int32)
    /// Nothing within the time.
    case silent
  }

  /// Seconds within which whoever serves a mail host's files must have answered.
  static let patience = 2.0

  /// What the thread writes and its asker reads: one after the other, by the pipe.
  private final class Sheet: @unchecked Sendable {
    let path: String
    let bell: Int32
    var space = statvfs()
    var code: Int32 = 0

    init(_ path: String, bell: Int32) {
      self.path = path
      self.bell = bell
    }
  }

  private let path: String
  /// The end of a question that is still open: it is not asked twice.
  private var pending: (sheet: Sheet, listen: Int32)?

  init(_ path: String) {
    self.path = path
  }

  deinit { if let pending { close(pending.listen) } }

  /// - Parameter patience: seconds to wait for the answer. A question that has gone unanswered already is waited for no longer.
  func answer(within patience: Double = SpaceQuestion.patience) -> Answer {
    var seconds = 0.0
    if pending == nil {
      seconds = patience
      guard let begun = begin() else { return .failed(errno) }
      pending = begun
    }
    guard let (sheet, listen) = pending else { return .silent }
    var entry = pollfd(fd: listen, events: Int16(POLLIN), revents: 0)
    let deadline = monotonicSeconds() + seconds
    repeat {
      let rest = Int32(max(0, (deadline - monotonicSeconds()) * 1000).rounded(.up))
      if poll(&entry, 1, rest) >= 0 || errno != EINTR { break }
    } while true
    guard entry.revents != 0 else { return .silent }
    close(listen)
    pending = nil
    return sheet.code == 0 ? .space(sheet.space) : .failed(sheet.code)
  }

  private func begin() -> (Sheet, Int32)? {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { return nil }
    let sheet = Sheet(path, bell: ends[1])
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let sheet = Unmanaged<Sheet>.fromOpaque(argument).takeRetainedValue()
        if statvfs(sheet.path, &sheet.space) != 0 { sheet.code = errno }
        // The other end sees it closed: that is the bell.
        close(sheet.bell)
        return nil
      }, Unmanaged.passRetained(sheet).toOpaque())
    guard code == 0 else {
      Unmanaged.passUnretained(sheet).release()
      for end in ends { close(end) }
      errno = code
      return nil
    }
    return (sheet, ends[0])
  }
}
