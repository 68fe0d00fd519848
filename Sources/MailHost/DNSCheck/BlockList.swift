import DNS

/// A list of addresses or domains that send spam, asked through the DNS (RFC 5782).
struct BlockList {
  let name: String

  /// - Parameter found: the A records of the address's or domain's name below the list's.
  func verdict(on address: IPAddress, _ found: Result<[DNSRecord], DNSError>) -> RecordVerdict {
    verdict(found, "https://check.spamhaus.org and the like tell why, and how it gets off the list")
  }

  private func verdict(_ found: Result<[DNSRecord], DNSError>, _ hint: String) -> RecordVerdict {
    let codes: [String]
    switch found {
    case .failure(let error): return .unknown("\(name) cannot be asked: \(error.text)")
    case .success(let records): codes = records.compactMap(\.address).sorted()
    }
    if codes.isEmpty { return .right("is not on \(name)") }
    // Answers to a resolver that asks too much or is open to all (Spamhaus, SURBL), and of providers that answer for every name.
    if codes.allSatisfy({ $0.hasPrefix("127.255.255.") || $0 == "127.0.0.1" }) {
      return .unknown(
        "\(name) does not answer this host's resolver (\(codes.joined(separator: ", "))): that says nothing about the address",
        hint: "a resolver of your own (unbound) is answered; rspamd asks such lists, too")
    }
    guard codes.allSatisfy({ $0.hasPrefix("127.") }) else {
      return .unknown(
        "the resolver answers for \(name) with \(codes.joined(separator: ", ")), which no list does: it invents answers"
      )
    }
    // Spamhaus: what the provider says should not send itself.
    if codes.allSatisfy({ $0 == "127.0.0.10" || $0 == "127.0.0.11" }) {
      return .wrong(
        "is on \(name) as one that should not send mail itself (\(codes.joined(separator: ", ")))",
        hint: "take it off at https://check.spamhaus.org, or send through a smarthost")
    }
    return .wrong("is on \(name) (\(codes.joined(separator: ", "))): many refuse its mail", hint: hint)
  }
}
