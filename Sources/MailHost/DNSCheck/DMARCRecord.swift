import Text

/// A record of DMARC (RFC 7489, section 6.3).
struct DMARCRecord: Equatable {
  enum Policy: String { case none, quarantine, reject }

  struct Fault: Error, Equatable {
    var text: String
  }

  var policy: Policy
  /// Domains that reports are sent to.
  var reportDomains: [String] = []

  /// Whether a TXT record is one.
  static func isOne(_ text: String) -> Bool {
    let tags = TagList(text)
    return tags.firstName == "v" && tags["v"] == "DMARC1"
  }

  init(_ text: String) throws(Fault) {
    let tags = TagList(text)
    guard let word = tags["p"] else { throw Fault(text: "it has no policy (p=)") }
    guard let policy = Policy(rawValue: word.lowercased()) else { throw Fault(text: "\"p=\(word)\" is no policy") }
    self.policy = policy
    if let word = tags["sp"], Policy(rawValue: word.lowercased()) == nil {
      throw Fault(text: "\"sp=\(word)\" is no policy")
    }
    if let number = tags["pct"], Int(number).map({ (0...100).contains($0) }) != true {
      throw Fault(text: "\"pct=\(number)\" is no percentage")
    }
    for name in ["adkim", "aspf"] {
      if let word = tags[name], !["r", "s"].contains(word.lowercased()) {
        throw Fault(text: "\"\(name)=\(word)\" is neither r nor s")
      }
    }
    for name in ["rua", "ruf"] {
      for address in (tags[name] ?? "").split(separator: ",") {
        let trimmed = address.filter { !$0.isWhitespace }
        guard trimmed.lowercased().hasPrefix("mailto:"), let sign = trimmed.lastIndex(of: "@") else {
          throw Fault(text: "\"\(name)=\(trimmed)\" is no mailto: address")
        }
        let domain = trimmed[trimmed.index(after: sign)...].prefix { $0 != "!" && $0 != "?" }.lowercased()
        if name == "rua" { reportDomains.append(domain) }
      }
    }
  }
}
