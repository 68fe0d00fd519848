import Glibc
import Linux
import MailAccounts

extension MailSystem {
  /// As this host's postfix is configured; without one as it would be by default here.
  static func ofThisHost() -> MailSystem {
    let program = "/usr/sbin/postconf"
    // `-x` puts in what `$myhostname` and the like stand for.
    guard access(program, X_OK) == 0,
      let child = try? ChildProcess([program, "-x", "recipient_delimiter", "mydestination"], errors: .dropped),
      child.wait(until: monotonicSeconds() + 5) == .exited(0)
    else { return MailSystem() }
    return MailSystem(postconf: String(decoding: child.output, as: UTF8.self))
  }

  /// From lines `NAME = VALUE`.
  init(postconf output: String) {
    self.init()
    for line in output.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
      switch parts[0].filter({ $0 != " " }) {
      case "recipient_delimiter": recipientDelimiter = String(value)
      case "mydestination":
        // A table (`hash:/etc/…`) is not looked into.
        let names = value.split { $0 == "," || $0 == " " || $0 == "\t" }.filter {
          !$0.contains(":") && !$0.contains("/")
        }
        localDomains = Set(names.map { $0.lowercased() })
      default: break
      }
    }
  }
}
