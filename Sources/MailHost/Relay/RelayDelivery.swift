/// What became of one mail, by the lines that postfix writes about it.
public struct RelayDelivery: Equatable, Sendable {
  public enum Outcome: Equatable, Sendable {
    /// The mail host has it, and answered so.
    case sent(String)
    /// It waits here.
    case deferred(String)
    /// It was refused for good.
    case bounced(String)
  }

  /// The mail's name in the queue.
  public var id: String
  public var outcome: Outcome

  /// Nil: there is nothing yet.
  /// - Parameters:
  ///   - log: lines of postfix's, without time and program.
  ///   - messageID: of the mail, without its brackets.
  public init?(_ log: String, messageID: String) {
    let lines = log.split(separator: "\n")
    guard let first = lines.first(where: { $0.hasSuffix("message-id=<\(messageID)>") }),
      let colon = first.firstIndex(of: ":")
    else { return nil }
    id = String(first[..<colon])
    for line in lines.reversed() where line.hasPrefix(id + ": to=<") {
      guard let status = line.firstRange(of: ", status=") else { continue }
      let words = line[status.upperBound...].split(separator: " ", maxSplits: 1).map(String.init)
      let answer = words.count > 1 ? String(words[1].drop { $0 == "(" }) : ""
      let text = answer.hasSuffix(")") ? String(answer.dropLast()) : answer
      switch words.first {
      case "sent": outcome = .sent(text)
      case "deferred": outcome = .deferred(text)
      case "bounced": outcome = .bounced(text)
      default: continue
      }
      return
    }
    return nil
  }

  /// What to do about mail that does not arrive.
  public static func hint(for reason: String, _ settings: RelaySettings) -> String {
    let text = reason.lowercased()
    if text.contains("authentication failed") {
      return "the mail host does not take the password of \(settings.login): `mailhost relay --new-password`; there, "
        + "`mailcfg passwd \(settings.login)` sets it"
    }
    if text.contains("not verified") || text.contains("not trusted") || text.contains("certificate") {
      return
        "the certificate must be for \(settings.host), and by someone whom this machine trusts; mail waits until it is"
    }
    if text.contains("relay access denied") || text.contains("not owned by user") {
      return
        "a relay@ login sends to domains of \(settings.host) alone; `mailhost relay --to ADDRESS` names who gets the mail"
    }
    if text.contains("connect to") || text.contains("timed out") || text.contains("host or domain name not found") {
      return "is \(settings.host) up, and its port \(settings.port) open to this machine? Mail waits meanwhile"
    }
    return "`mailhost queue` shows what waits; `journalctl -u 'postfix*' -e` tells more"
  }
}
