import MailbootCore

private let day: Int64 = 86400

/// How long certificates are good for: the host's own and those above it.
struct CertificateExpiry {
  /// So long before its end a certificate should have been renewed; one of a short life when two thirds of it are over.
  private static let leastDays: Int64 = 7

  let now: Int64

  /// The one that is worst off; among sound ones the one that ends first.
  func finding(on chains: [CertificateChain]) -> Finding {
    var worst: (finding: Finding, until: Int64)?
    for chain in chains {
      for place in chain.path {
        let name = place == 0 ? nil : chain.with(place) { $0.names.first ?? "above it" }
        let (finding, until) = chain.with(place) { judge($0, named: name) }
        if worst.map({ (finding.grade, -until) > ($0.finding.grade, -$0.until) }) ?? true {
          // Of the ones above it only trouble is news.
          if place == 0 || !finding.sound { worst = (finding, until) }
        }
      }
    }
    return worst?.finding ?? Finding(.certificateEarly, "there is no certificate")
  }

  private func judge(_ certificate: borrowing Certificate, named name: String?) -> (Finding, until: Int64) {
    let who = name.map { "the intermediate certificate \($0) " } ?? ""
    guard let (from, until) = certificate.validity else {
      return (
        Finding(.certificateEarly, who.isEmpty ? "the certificate has no readable dates" : who + "has no dates"), 0
      )
    }
    let hint = name == nil ? "renew it: certbot renew" : "get the host's certificate anew, with the chain of today"
    if until < now { return (Finding(.certificateExpired, who + "expired on \(dayText(until))", hint: hint), until) }
    if from > now {
      return (
        Finding(
          .certificateEarly, who + "not valid before \(dayText(from))",
          hint: "is this machine's clock right? see: timedatectl"), until
      )
    }
    let left = until - now
    if left < min(Self.leastDays * day, (until - from) / 3) {
      let time = left < day ? counted(Int(left / 3600), "hour") : counted(Int(left / day), "day")
      return (Finding(.certificateExpires, who + "expires in \(time)", hint: hint), until)
    }
    return (
      Finding(sound: .certificateExpiry, "valid until \(dayText(until)) (\(counted(Int(left / day), "day")))"), until
    )
  }
}
