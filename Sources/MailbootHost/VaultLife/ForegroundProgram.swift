import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// A program of others that talks to the person at our terminal itself: it asks for a PIN, or to touch a token.
///
/// It stays in our process group, else it could not read from the terminal; Ctrl-C reaches both of us.
enum ForegroundProgram {
  /// Runs it to its end.
  /// - Parameter secret: what it reads on descriptor 3, a file in locked memory.
  /// - Returns: its exit status; nil: a signal has ended it.
  static func run(
    _ arguments: [String], secret: borrowing SecretBytes, _ reactor: Reactor
  ) throws(Failure) -> Int32? {
    let file = try LockedFile(secret)
    // Above the number that it is to have, else the copy would keep the flag that closes it.
    let descriptor = mb_fcntl_int(file.descriptor, F_DUPFD_CLOEXEC, 64)
    guard descriptor >= 0 else { throw .system("no descriptor: \(errnoText())") }
    defer { close(descriptor) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, descriptor, 3)
    // What it tells is no result of ours.
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    // Nobody would notice that it waits in the background.
    sigaddset(&none, SIGTSTP)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let terminal = getenv("TERM").map { "TERM=" + String(cString: $0) } ?? "TERM=dumb"
    let settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root", terminal]
    let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    let environment: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
    defer { for word in words + environment { free(word) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, arguments[0], &actions, &attributes, words, environment)
    guard result == 0 else { throw .system("\(arguments[0]) cannot be run: \(errnoText(result))") }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    try reactor.checkSignals()
    return mb_wifexited(status) != 0 ? mb_wexitstatus(status) : nil
  }
}

/// A file that is nowhere but in memory that is not written to the swap, and wiped at the end. For programs that want to seek in what
/// they read, which a pipe refuses.
private final class LockedFile {
  let descriptor: Int32
  private let base: UnsafeMutableRawPointer
  private let length: Int

  init(_ secret: borrowing SecretBytes) throws(Failure) {
    descriptor = mb_memfd_create("key")
    // Else the reader warns of what nobody else can open.
    if descriptor >= 0 { fchmod(descriptor, 0o600) }
    length = max(1, secret.count)
    guard descriptor >= 0, ftruncate(descriptor, secret.count) == 0,
      let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != UnsafeMutableRawPointer(bitPattern: -1)
    else { throw .system("no memory for the passphrase: \(errnoText())") }
    self.base = base
    if mlock(base, length) != 0 { throw .system("cannot lock memory for the passphrase: \(errnoText())") }
    let count = secret.count
    secret.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress { base.copyMemory(from: from, byteCount: count) }
    }
  }

  deinit {
    explicit_bzero(base, length)
    munmap(base, length)
    close(descriptor)
  }
}
