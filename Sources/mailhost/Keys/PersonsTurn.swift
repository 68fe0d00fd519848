import Glibc
import Linux
import MailHost
import Text

/// Tells the administrator by mail what a person has to do: when it is something new, and again after a week.
struct PersonsTurn {
  let work: HostWork

  private static let path = "/var/lib/mailhost/persons-turn"
  private static let week = 7.0 * 86400

  func mail(_ lines: [String]) throws(HostFailure) {
    let text = lines.joined(separator: "\n")
    let before = try explained { () throws(SystemError) in try work.root.read(Self.path)?.text }
    guard !lines.isEmpty else {
      if before != nil { try explained { () throws(SystemError) in try work.root.remove(Self.path) } }
      return
    }
    let now = Double(time(nil))
    if let before, let end = before.firstIndex(of: "\n"), before[before.index(after: end)...] == text,
      let last = secondsSince1970(timestamp: String(before[..<end])), now - last < Self.week
    {
      return
    }
    try AdministratorMail(settings: work.settings).send(subject: "DKIM keys: something for you to do", text)
    try explained { () throws(SystemError) in
      try work.root.write(
        Self.path, Array("\(timestamp(now))\n\(text)".utf8),
        Generation.Attributes(mode: 0o600, owner: "root", group: "root"))
    }
  }
}
