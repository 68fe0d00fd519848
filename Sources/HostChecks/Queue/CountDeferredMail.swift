import CLinux
import Glibc
import Linux
import MailbootCore

/// Counts the mail that postfix has put off, and finds when the oldest arrived. Runs no program, and follows no links: the queue is the
/// user postfix's, and we may be root.
public func countDeferredMail(_ request: QueueRequest) -> QueueReply {
  guard let text = readSmallText(request.mainFile), let queue = queueDirectory(inMain: text) else { return .unknown }
  let descriptor = mb_open("\(queue)/deferred", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
  guard descriptor >= 0 else { return .unknown }
  var count = DeferredMailCount(most: request.most, end: Deadline(after: request.patience))
  guard count.add(directory: descriptor, depth: 0) else { return .unknown }
  return .counted(
    DeferredMail(count: count.count, hasMore: count.hasMore, oldest: count.oldest, at: wallSeconds().rounded(.down)))
}

/// Where postfix's `main.cf` puts the queue; nil: where only postfix knows.
func queueDirectory(inMain text: String) -> String? {
  var directory = "/var/spool/postfix"
  for line in text.split(separator: "\n") {
    // A line that begins with a space goes on with the one before.
    let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, trimmed(parts[0]) == "queue_directory", line.first?.isWhitespace == false else { continue }
    // The last one counts.
    directory = trimmed(parts[1])
  }
  return directory.hasPrefix("/") && !directory.contains("$") ? directory : nil
}

private func trimmed(_ text: Substring) -> String {
  let rest = text.drop { $0.isWhitespace }
  guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
  return String(rest[...last])
}

/// A walk through `deferred`, whose files postfix keeps in directories by the first letters of their names.
private struct DeferredMailCount {
  let most: Int
  /// When no more files are opened.
  let end: Deadline
  var count = 0
  var hasMore = false
  var oldest: Double?

  /// `hash_queue_depth` is 1 by default, and as many letters at most as a name has.
  private static let deepest = 16

  init(most: Int, end: Deadline) {
    self.most = most
    self.end = end
  }

  /// - Parameter descriptor: of the directory; closed here.
  /// - Returns: whether it could be read.
  mutating func add(directory descriptor: Int32, depth: Int) -> Bool {
    guard depth <= Self.deepest, let directory = fdopendir(descriptor) else {
      close(descriptor)
      return false
    }
    defer { closedir(directory) }
    while !hasMore, let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name.hasPrefix(".") { continue }
      if name.utf8.count == 1 {
        let next = mb_openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
        if next >= 0 { _ = add(directory: next, depth: depth + 1) }
        continue
      }
      if count == most {
        hasMore = true
        return true
      }
      count += 1
      if !end.hasPassed, let arrived = arrival(name, in: descriptor) { oldest = min(oldest ?? arrived, arrived) }
    }
    return true
  }

  private func arrival(_ name: String, in directory: Int32) -> Double? {
    let descriptor = mb_openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 512)
    let length = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return arrivalTime(inQueueFile: bytes.prefix(max(0, length)))
  }
}

/// When the mail arrived whose queue file begins so, seconds since 1970; nil: it does not say.
///
/// A queue file is a row of records: a letter, the length in groups of seven bits, the lowest first, the contents. The time is in one of
/// the first, `T`. Not from the file's own times: postfix sets them to when it will try again.
func arrivalTime(inQueueFile bytes: ArraySlice<UInt8>) -> Double? {
  var rest = bytes
  while let type = rest.popFirst() {
    var length = 0
    var shift = 0
    while true {
      guard shift < 28, let byte = rest.popFirst() else { return nil }
      length |= Int(byte & 0x7f) << shift
      shift += 7
      if byte & 0x80 == 0 { break }
    }
    guard length <= rest.count else { return nil }
    if type == UInt8(ascii: "T") {
      let digits = rest.prefix(length).drop { $0 == 0x20 }.prefix { (0x30...0x39).contains($0) }
      return digits.count <= 12 ? Double(String(decoding: digits, as: UTF8.self)) : nil
    }
    rest = rest.dropFirst(length)
  }
  return nil
}
