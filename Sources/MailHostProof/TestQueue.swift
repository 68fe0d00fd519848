import HostChecks
import JSON
import Linux
import MailbootCore

/// Mail of the test that postfix still has.
enum TestQueue {
  /// Waits until it is delivered; what is left after some seconds is thrown away. Else it would bounce when its users are gone.
  ///
  /// Only mail whose recipients are all in the test's domain: nobody else's can be.
  static func empty(within time: Double) {
    let limit = Deadline(after: time)
    while true {
      let left = queued()
      if left.isEmpty { return }
      if limit.hasPassed {
        for name in left {
          _ = output(["/usr/sbin/postsuper", "-d", name])
        }
        return
      }
      pause(0.1)
    }
  }

  private static func queued() -> [String] {
    output(["/usr/sbin/postqueue", "-j"]).split(separator: "\n").compactMap { ours(String($0)) }
  }

  /// The name of a mail of ours in the queue.
  /// - Parameter line: of `postqueue -j`.
  static func ours(_ line: String) -> String? {
    guard let mail = JSONText(parsing: Array(line.utf8)), let name = mail["queue_id"]?.text,
      let recipients = mail["recipients"]?.items, !recipients.isEmpty
    else { return nil }
    let isOurs = recipients.allSatisfy { $0["address"]?.text?.hasSuffix("@" + TestDomain.name) == true }
    return isOurs && !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } ? name : nil
  }

  /// Nothing when it cannot be run: then there is nothing to be done.
  private static func output(_ words: [String]) -> String {
    guard let child = try? ChildProcess(words) else { return "" }
    _ = child.wait(until: monotonicSeconds() + 5)
    return String(decoding: child.output, as: UTF8.self)
  }
}
