import CLinux
import Glibc
import SecretMemory
import Text

/// What another program printed, and how it ended.
struct ChildOutput {
  enum Errors {
    /// Its messages go where ours go.
    case inherited
    case dropped
  }

  /// Its exit code; 128 and more: a signal, as shells have it.
  let status: Int32
  let bytes: [UInt8]

  private static let limit = 1 << 20

  /// Runs it to its end, with nothing on standard input and an environment that nobody else chose; nil when it cannot be run.
  ///
  /// - Parameters:
  ///   - arguments: the path of the program first.
  ///   - seconds: then it is killed.
  init?(_ arguments: [String], errors: Errors, seconds: Int) {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    guard let child = Self.start(arguments, output: ends[1], errors) else { return nil }
    bytes = Self.collect(ends[0], child, seconds)
    var ended: Int32 = 0
    while waitpid(child, &ended, 0) < 0 && errno == EINTR {}
    status = mb_wifexited(ended) != 0 ? mb_wexitstatus(ended) : 128 + mb_wtermsig(ended)
  }

  /// Closes our end of `output`.
  private static func start(_ arguments: [String], output: Int32, _ errors: Errors) -> pid_t? {
    defer { close(output) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    if errors == .dropped { posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

    let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    let variables: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
    let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for copy in words + environment { free(copy) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, arguments[0], &actions, &attributes, words, environment)
    return result == 0 ? child : nil
  }

  /// All it writes until it closes its end, or until its time is over.
  private static func collect(_ descriptor: Int32, _ child: pid_t, _ seconds: Int) -> [UInt8] {
    let end = MonotonicInstant.now + .seconds(seconds)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let left = MonotonicInstant.now.duration(to: end) / .milliseconds(1)
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if left <= 0 || poll(&entry, 1, Int32(left.rounded(.up))) == 0 {
        kill(child, SIGKILL)
        return bytes
      }
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return bytes }
      if bytes.count < limit { bytes += chunk[..<count] }
    }
  }
}
