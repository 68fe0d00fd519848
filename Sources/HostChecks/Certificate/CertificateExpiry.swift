import MailbootCore

private let day: Int64 = 86400

/// How long certificates are good for: the host's own and those above it.
struct CertificateExpiry {
  /// So long before its end a certificate should have been renewed; one of a short life when two thirds of it are over.
  private static let leastDays: Int64 = 7

  let now: Int64

  /// The one that is worst off; among sound ones the one that ends first.
  ///
  /// - Parameter shown: what services show that is none of `chains`, by the URL.
  func finding(on chains: [CertificateChain], shown: [(url: String, chain: CertificateChain)] = []) -> Finding {
    var worst: (finding: Finding, until: Int64)?
    for chain in chains {
      for place in chain.path {
        let (finding, until) = chain.with(place) { certificate in
          place == 0
            ? judge(certificate, whose: "", hint: Self.renew)
            : judge(
              certificate, whose: "the intermediate certificate \(certificate.names.first ?? "above it") ",
              hint: "get the host's certificate anew, with the chain of today")
        }
        if worst.map({ (finding.grade, -until) > ($0.finding.grade, -$0.until) }) ?? true {
          // Of the ones above it only trouble is news.
          if place == 0 || !finding.sound { worst = (finding, until) }
        }
      }
    }
    for (url, chain) in shown {
      let (finding, until) = chain.with(0) { judge($0, whose: "what \(url) shows ", hint: Self.renew) }
      if let now = worst, (finding.grade, -until) > (now.finding.grade, -now.until), !finding.sound {
        worst = (finding, until)
      }
    }
    return worst?.finding ?? Finding(.certificateEarly, "there is no certificate")
  }

  private static let renew = "renew it: certbot renew"

  private func judge(
    _ certificate: borrowing Certificate, whose who: String, hint: String
  ) -> (finding: Finding, until: Int64) {
    guard let (from, until) = certificate.validity else {
      return (
        Finding(.certificateEarly, who.isEmpty ? "the certificate has no readable dates" : who + "has no dates"), 0
      )
    }
    if until < now { return (Finding(.certificateExpired, who + "expired on \(dayText(until))", hint: hint), until) }
    if from > now {
      let clock = "is this machine's clock right? see: timedatectl"
      return (Finding(.certificateEarly, who + "not valid before \(dayText(from))", hint: clock), until)
    }
    let left = until - now
    if left < min(Self.leastDays * day, (until - from) / 3) {
      let time = left < day ? counted(Int(left / 3600), "hour") : counted(Int(left / day), "day")
      return (Finding(.certificateExpires, who + "expires in \(time)", hint: hint), until)
    }
    let detail = "valid until \(dayText(until)) (\(counted(Int(left / day), "day")))"
    return (Finding(sound: .certificateExpiry, detail), until)
  }
}
