import CLinux
import Glibc

/// One child process with its output collected. Owned by one thread; poll its descriptors and call `pump`.
///
/// It runs in a process group of its own, so that Ctrl-C at the terminal reaches its parent alone, with no signal blocked, and with
/// an environment that nobody else chose.
public final class ChildProcess {
  public enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// Where its standard error goes.
  public enum Errors {
    case collected
    /// Where ours goes.
    case inherited
    case dropped
  }

  public let name: String
  public let pid: pid_t
  public private(set) var processDescriptor: Int32
  private var outputs: [Int32]
  private var collected: [[UInt8]] = [[], []]
  public private(set) var end: End?

  /// Bytes kept of each output; what comes after is read and dropped.
  private static let limit = 64 << 20

  /// Bytes read of an output at a time: who takes them as they come must get his turn, however fast the child is. More than a pipe
  /// holds, so that nothing is left of a child that has ended.
  private static let portion = 1 << 20

  public var output: [UInt8] { collected[0] }
  public var errorOutput: String { String(decoding: collected[1], as: UTF8.self) }

  /// - Parameters:
  ///   - arguments: the path of the program first.
  ///   - input: its standard input; empty: `/dev/null`.
  ///   - inputDescriptor: what it reads instead.
  ///   - descriptors: what it gets as numbers 3, 4 and so on.
  ///   - urgent: whether it goes before others on the processors (nice -10, where that is allowed).
  ///   - errors: where its standard error goes.
  ///   - directory: where it runs; nil: where we do. Ours may be somebody else's, and programs look for modules where they are.
  public init(
    _ arguments: [String], input: [UInt8] = [], inputDescriptor given: Int32? = nil, descriptors: [Int32] = [],
    urgent: Bool = false,
    errors: Errors = .collected, directory: String? = "/"
  ) throws(SystemError) {
    name = arguments[0].split(separator: "/").last.map(String.init) ?? arguments[0]
    var pipes: [[Int32]] = []
    var inputDescriptor: Int32 = -1
    var isStarted = false
    defer {
      for pipe in pipes {
        close(pipe[1])
        if !isStarted { close(pipe[0]) }
      }
      if inputDescriptor >= 0 { close(inputDescriptor) }
    }
    for _ in 0..<2 {
      var ends: [Int32] = [-1, -1]
      guard mb_pipe_cloexec(&ends) == 0 else { throw SystemError("pipe: \(errnoText())") }
      _ = mb_fcntl_int(ends[0], F_SETFL, O_NONBLOCK)
      pipes.append(ends)
    }
    outputs = pipes.map { $0[0] }
    inputDescriptor = try Self.inputFile(input)

    // Far from the numbers that they are to have: one that is put in its place must not be in another's.
    var copies: [Int32] = []
    defer { for copy in copies { close(copy) } }
    for descriptor in descriptors {
      let copy = mb_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 64)
      guard copy >= 0 else { throw SystemError("no descriptor for a child process: \(errnoText())") }
      copies.append(copy)
    }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, given ?? inputDescriptor, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[0][1], 1)
    switch errors {
    case .collected: posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2)
    case .inherited: break
    case .dropped: posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }
    for (number, copy) in zip(Int32(3)..., copies) { posix_spawn_file_actions_adddup2(&actions, copy, number) }
    if let directory { mb_spawn_in_directory(&actions, directory) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var child: pid_t = 0
    let result = withCStrings(arguments) { argv in
      withCStrings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]) { environment in
        posix_spawn(&child, arguments[0], &actions, &attributes, argv, environment)
      }
    }
    guard result == 0 else { throw SystemError("\(arguments[0]) cannot be run: \(errnoText(result))") }
    isStarted = true
    pid = child
    // Before it has children of its own, which inherit it. Without the right to, it only takes longer.
    if urgent { _ = mb_set_priority(child, -10) }
    processDescriptor = mb_pidfd_open(child)
  }

  deinit {
    if end == nil { killAndReap() }
    for descriptor in outputs where descriptor >= 0 { close(descriptor) }
    if processDescriptor >= 0 { close(processDescriptor) }
  }

  /// A file in memory takes any length at once; a pipe would block on the longer ones.
  private static func inputFile(_ bytes: [UInt8]) throws(SystemError) -> Int32 {
    let descriptor = bytes.isEmpty ? mb_open("/dev/null", O_RDONLY | O_CLOEXEC, 0) : mb_memfd_create("input")
    guard descriptor >= 0 else { throw SystemError("no input for a child process: \(errnoText())") }
    guard writeAll(bytes, to: descriptor) else {
      let reason = errnoText()
      close(descriptor)
      throw SystemError("no input for a child process: \(reason)")
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  /// What to poll for.
  public var pollDescriptors: [pollfd] {
    (outputs + [processDescriptor]).filter { $0 >= 0 }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  }

  /// Takes what is there to take. Returns true once it has ended and all its output is in.
  public func pump() -> Bool {
    if end != nil { return true }
    var status: Int32 = 0
    let reaped = waitpid(pid, &status, WNOHANG)
    // Somebody else has taken its exit status: it has ended all the same, and nobody knows how.
    let isLost = reaped < 0 && errno == ECHILD
    drain()
    if isLost {
      end = .killed(signal: 0)
      return true
    }
    guard reaped == pid else { return false }
    end = mb_wifexited(status) != 0 ? .exited(mb_wexitstatus(status)) : .killed(signal: mb_wtermsig(status))
    // A grandchild may hold the pipes open for ever (a daemon does): what it says later is not for us.
    drain()
    return true
  }

  /// What has been collected of its standard output; from then on it is no more in `output`. For programs that say more than is to be
  /// held in memory.
  public func takeOutput() -> [UInt8] {
    defer { collected[0] = [] }
    return collected[0]
  }

  private func drain() {
    var chunk = [UInt8](repeating: 0, count: 16384)
    for index in 0..<2 where outputs[index] >= 0 {
      var portion = 0
      while portion < Self.portion {
        let count = chunk.withUnsafeMutableBytes { read(outputs[index], $0.baseAddress, $0.count) }
        if count > 0 {
          portion += count
          let room = Self.limit - collected[index].count
          if room > 0 { collected[index] += chunk[..<min(count, room)] }
          continue
        }
        if count < 0 && errno == EINTR { continue }
        if count == 0 || errno != EAGAIN {
          close(outputs[index])
          outputs[index] = -1
        }
        break
      }
    }
  }

  /// Seconds a child has to end after SIGTERM. The worker blocks the signal while it changes device-mapper: between two of
  /// those calls it must not be killed.
  private static let grace = 20.0

  /// Ends it and its process group, and waits until it is gone: SIGTERM, and only when that is not heeded SIGKILL.
  public func killAndReap() {
    guard end == nil else { return }
    kill(-pid, SIGTERM)
    let deadline = monotonicSeconds() + Self.grace
    while !pump() && monotonicSeconds() < deadline {
      var descriptor = pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0)
      poll(&descriptor, 1, processDescriptor < 0 ? 50 : Int32((deadline - monotonicSeconds()) * 1000) + 1)
    }
    // What it has started may have ignored the first one.
    kill(-pid, SIGKILL)
    guard end == nil else { return }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    end = .killed(signal: SIGKILL)
  }

  /// Kills it and waits no more: it ends when the kernel lets it.
  public func leave() {
    kill(-pid, SIGKILL)
    end = .killed(signal: SIGKILL)
  }

  /// Waits for its end, without a way to be interrupted; past `deadline` (monotonic seconds) it is ended.
  public func wait(until deadline: Double) -> End {
    while !pump() {
      let left = deadline - monotonicSeconds()
      if left <= 0 { killAndReap() }
      var descriptors = pollDescriptors
      // Without pidfd_open (kernels before 5.3) its end is seen by looking.
      let most = processDescriptor < 0 ? 50 : 60_000
      poll(&descriptors, nfds_t(descriptors.count), Int32(max(0, min(Double(most), left * 1000 + 1))))
    }
    return end ?? .killed(signal: SIGKILL)
  }
}

/// Calls `body` with a C array of the strings, ended by NULL.
private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  return body(copies + [nil])
}
