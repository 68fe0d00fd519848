import CLinux
import COpenSSL
import Glibc
import MailbootCore

/// What is known of a key and of the record for the zone beside it.
struct DKIMFiles {
  var key: DKIMKeyFacts
  /// Nil: it cannot be read; empty: there is no record in it.
  var records: [DKIMRecord]?
  var hasRecordFile: Bool { recordError != ENOENT }
  /// `errno`, where it cannot be read.
  var recordError: Int32 = 0
}

/// Reads and parses key files, and the records beside them, in a child process that is the user who will sign, with nothing of root
/// left: so a directory that keeps this user out shows, and a file that attacks the parser or leads elsewhere gains nothing.
enum DKIMKeyReader {
  /// Seconds for all files; a hanging file system must not hang the check.
  private static let timeLimit = 30.0

  /// One result for each path, in order.
  static func read(_ places: [DKIMKeyPlace], as user: UserAccount) throws(Problem) -> [DKIMFiles] {
    // Whatever OpenSSL loads, it loads here and not in the child.
    OPENSSL_init_crypto(0, nil)
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else {
      throw Problem(.dkimKeyUnreadable, "cannot make a pipe: \(errorText(errno))")
    }
    let child = mb_fork()
    guard child >= 0 else {
      let number = errno
      close(ends[0])
      close(ends[1])
      throw Problem(.dkimKeyUnreadable, "cannot start a process as \(user.name): \(errorText(number))")
    }
    if child == 0 {
      close(ends[0])
      runChild(places, user: user, output: ends[1])
    }
    close(ends[1])
    defer { close(ends[0]) }
    let output = collect(ends[0], until: Deadline(after: timeLimit))
    if output == nil { kill(child, SIGKILL) }
    let status = reap(child)
    guard let output else {
      throw Problem(.dkimKeyUnreadable, "reading the keys as \(user.name) took more than \(secondsText(timeLimit))")
    }
    let text = String(decoding: output, as: UTF8.self)
    if text.hasPrefix("refused\t") {
      throw Problem(
        .dkimKeyUnreadable, "cannot become user \(user.name): \(printable(String(text.dropFirst("refused\t".count))))")
    }
    let lines = text.split(separator: "\n")
    let results = stride(from: 0, to: lines.count - 1, by: 2).compactMap { files(lines[$0], lines[$0 + 1]) }
    guard results.count == places.count else {
      let how = mb_wifsignaled(status) != 0 ? "signal \(mb_wtermsig(status))" : "status \(mb_wexitstatus(status))"
      throw Problem(.dkimKeyUnreadable, "reading the keys as \(user.name) ended early (\(how))")
    }
    return zip(places, results).map { withRecordsOfRoot($0, $1) }
  }

  /// The user need not be able to read a record. A link is not followed then: the directory may be that user's.
  private static func withRecordsOfRoot(_ place: DKIMKeyPlace, _ files: DKIMFiles) -> DKIMFiles {
    guard files.recordError == EACCES, let file = try? OpenedFile(place.recordPath, followingLinks: false),
      let bytes = try? file.prefix(DKIMKeyFacts.largestFile)
    else { return files }
    return DKIMFiles(key: files.key, records: DKIMRecord.all(inZoneText: String(decoding: bytes, as: UTF8.self)))
  }

  private static func runChild(_ places: [DKIMKeyPlace], user: UserAccount, output: Int32) -> Never {
    mb_prctl_set_pdeathsig(SIGKILL)
    var text: String
    if let refusal = become(user) {
      text = "refused\t\(refusal)\n"
    } else {
      // A change of user resets this; after it, nobody else of that user can look into our memory.
      mb_prctl_set_dumpable(0)
      text = places.map { facts(of: $0.path).line + "\n" + recordLine(of: $0.recordPath) + "\n" }.joined()
    }
    text.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = write(output, bytes.baseAddress! + sent, bytes.count - sent)
        if count < 0, errno == EINTR { continue }
        if count < 0 { _exit(1) }
        sent += count
      }
    }
    // No exit handlers: they belong to the parent.
    _exit(0)
  }

  /// Gives up every identity but the user's. Nil when that is so; else why not.
  private static func become(_ user: UserAccount) -> String? {
    if geteuid() == user.uid, geteuid() != 0 { return nil }
    if initgroups(user.name, user.gid) != 0 { return errorText(errno) }
    // For root both set the real, the effective and the saved number (setuid(2)).
    if setgid(user.gid) != 0 { return errorText(errno) }
    if setuid(user.uid) != 0 { return errorText(errno) }
    if user.uid != 0, setuid(0) == 0 { return "root could be had back" }
    return nil
  }

  private static func facts(of path: String) -> DKIMKeyFacts {
    do {
      guard let contents = try contents(of: path) else { return .unusable("is not a regular file") }
      guard contents.count <= DKIMKeyFacts.largestFile else {
        return .unusable("is too large for a key (more than \(DKIMKeyFacts.largestFile) bytes)")
      }
      return DKIMKeyFacts(parsing: contents.contents)
    } catch {
      return .unreadable(error.number)
    }
  }

  private static func recordLine(of path: String) -> String {
    do {
      guard let contents = try contents(of: path) else { return "unreadable\t\(EINVAL)" }
      let records = DKIMRecord.all(inZoneText: String(decoding: contents.contents, as: UTF8.self))
      return records.reduce(into: "records") { line, record in
        let safe = [record.algorithm, record.publicKey].map {
          $0.filter { $0.isASCII && !$0.isWhitespace && $0 != ":" }
        }
        line += "\t" + safe.joined(separator: ":")
      }
    } catch {
      return "unreadable\t\(error.number)"
    }
  }

  private static func files(_ key: Substring, _ record: Substring) -> DKIMFiles? {
    guard let facts = DKIMKeyFacts(line: key) else { return nil }
    let parts = record.split(separator: "\t")
    if parts.count == 2, parts[0] == "unreadable", let number = Int32(parts[1]) {
      return DKIMFiles(key: facts, records: nil, recordError: number)
    }
    guard parts.first == "records" else { return nil }
    return DKIMFiles(
      key: facts,
      records: parts.dropFirst().compactMap { text in
        let pair = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return pair.count == 2 ? DKIMRecord(algorithm: pair[0], publicKey: pair[1]) : nil
      })
  }

  private struct Refusal: Error { var number: Int32 }

  /// One byte more than a key may have; nil when it is no regular file.
  private static func contents(of path: String) throws(Refusal) -> WipedBytes? {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
    guard descriptor >= 0 else { throw Refusal(number: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Refusal(number: errno) }
    guard mb_s_isreg(status.st_mode) != 0 else { return nil }
    var contents = WipedBytes(capacity: DKIMKeyFacts.largestFile + 1)
    while contents.count < contents.storage.count {
      let count = Glibc.read(
        descriptor, contents.storage.baseAddress! + contents.count, contents.storage.count - contents.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw Refusal(number: errno) }
      if count == 0 { break }
      contents.count += count
    }
    return contents
  }

  /// Everything up to the end; nil when that did not come in time.
  private static func collect(_ descriptor: Int32, until deadline: Deadline) -> [UInt8]? {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&entry, 1, deadline.pollMilliseconds)
      if ready < 0, errno != EINTR { return nil }
      if ready == 0, deadline.hasPassed { return nil }
      guard ready > 0 else { continue }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { return nil }
      if count == 0 { return result }
      result += buffer.prefix(count)
    }
  }

  private static func reap(_ child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
  }
}
