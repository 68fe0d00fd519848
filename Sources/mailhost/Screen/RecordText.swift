import Console
import DNS
import MailHost

/// The records that a host needs, for a person and a web form: the name, the whole value, the reason.
struct RecordText {
  let terminal: Terminal

  func lines(_ wanted: WantedRecords) -> [String] {
    var lines: [String] = []
    if !wanted.host.isEmpty { lines += section("the host itself", wanted.host, within: nil) }
    for domain in wanted.domains {
      if !lines.isEmpty { lines.append("") }
      lines += section(domain.name, domain.records, within: domain.name)
    }
    if !wanted.notes.isEmpty, !lines.isEmpty { lines.append("") }
    return lines + wanted.notes.map { terminal.wrapped("note: \($0)", indent: 6) }
  }

  private func section(_ title: String, _ records: [WantedRecord], within domain: String?) -> [String] {
    var lines = [terminal.coloured(title, .bold)]
    for rank in RecordRank.allCases {
      let those = records.filter { $0.rank == rank && $0.unless == nil }
      if !those.isEmpty { lines += ["", "  " + terminal.coloured(rank.rawValue, .bold)] }
      for wanted in those {
        lines += row(wanted, within: domain)
        lines.append(terminal.wrapped("        " + wanted.reason, indent: 8))
      }
    }
    let later = records.filter { $0.unless != nil }
    if !later.isEmpty { lines += ["", "  " + terminal.coloured("not now", .bold)] }
    for wanted in later {
      lines += row(wanted, within: domain)
      lines.append(terminal.wrapped("        " + (wanted.unless ?? ""), indent: 8))
    }
    return lines
  }

  /// The value in one piece, however long: it is for copying.
  private func row(_ wanted: WantedRecord, within domain: String?) -> [String] {
    let record = wanted.record
    var name = record.name
    if let domain {
      // Most forms add the domain.
      name =
        name == domain ? "@  (\(domain))" : isName(name, within: domain) ? "\(name.dropLast(domain.count + 1))" : name
    }
    return ["    \(record.type.text.padded(5)) \(name)", "        \(record.text ?? record.zoneData)"]
  }
}
