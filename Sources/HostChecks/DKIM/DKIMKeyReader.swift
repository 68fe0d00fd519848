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
    let text: String
    do throws(UserChild.Failure) {
      text = try UserChild.text(as: user, within: timeLimit) {
        places.map { facts(of: $0.path).line + "\n" + recordLine(of: $0.recordPath) + "\n" }.joined()
      }
    } catch {
      throw Problem(.dkimKeyUnreadable, error.reason)
    }
    let lines = text.split(separator: "\n")
    let results = stride(from: 0, to: lines.count - 1, by: 2).compactMap { files(lines[$0], lines[$0 + 1]) }
    guard results.count == places.count else {
      throw Problem(.dkimKeyUnreadable, "reading the keys as \(user.name) did not end well")
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
}
