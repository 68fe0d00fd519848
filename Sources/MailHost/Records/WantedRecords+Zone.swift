import DNS

extension WantedRecords {
  /// A piece of a zone file, whole names: each record below its reason. What is not to be published now is a comment.
  ///
  /// - Parameter isReverseShown: PTR records, which lie in no zone of ours, as comments.
  public func zone(isReverseShown: Bool = true) -> String {
    var lines: [String] = []
    func add(_ title: String, _ records: [WantedRecord]) {
      guard !records.isEmpty else { return }
      if !lines.isEmpty { lines.append("") }
      lines.append("; \(title)")
      for wanted in records where isReverseShown || !wanted.isReverse {
        lines.append("")
        lines += Self.comment("\(wanted.rank.rawValue): \(wanted.reason)")
        if let unless = wanted.unless { lines += Self.comment("Not now: \(unless)") }
        // A name that has one alias can have nothing else, and a reverse name is in another zone.
        lines.append((wanted.unless != nil || wanted.isReverse ? "; " : "") + wanted.record.zoneLine)
      }
    }
    for note in notes { lines += Self.comment("Note: \(note)") }
    add("The host itself", host)
    for domain in domains { add(domain.name, domain.records) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Comment lines of a zone file, no longer than a screen is wide.
  private static func comment(_ text: String) -> [String] {
    var lines: [String] = []
    var line = ";"
    for word in text.split(separator: " ") {
      if line.count + 1 + word.count > 79, line != ";" {
        lines.append(line)
        line = ";"
      }
      line += " " + word
    }
    return lines + [line]
  }
}
