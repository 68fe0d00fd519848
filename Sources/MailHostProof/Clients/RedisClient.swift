import HostChecks
import MailbootCore

/// Asks redis or valkey by inline commands (https://redis.io/docs/latest/develop/reference/protocol-spec/).
final class RedisClient {
  private let channel: ProbeChannel

  init(_ url: ProbeURL, seconds: Double) throws(Silence) {
    channel = try ProbeChannel(to: url, attempt: Attempt(seconds: seconds))
  }

  /// The number that a command answers with; 0 when there is none.
  func number(_ command: String) throws(Silence) -> Int {
    try channel.send(command + "\r\n")
    let line = try channel.expectLine("answer of redis")
    // A text begins with its length, and a length of -1 stands for none.
    if line == "$-1" { return 0 }
    guard line.hasPrefix("$") else { throw Silence(reason: "redis: \(printable(line))") }
    let text = try channel.expectLine("answer of redis")
    guard let number = Int(text) else { throw Silence(reason: "redis: \(printable(text)) is no number") }
    return number
  }

  func leave() { channel.leave(saying: "QUIT\r\n") }
}
