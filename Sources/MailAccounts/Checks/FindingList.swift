/// Findings, in the order of their kinds; of one kind as many as somebody would read.
struct FindingList {
  private static let order = [
    "damage", "mode", "orphan", "domain", "name", "login", "password", "role", "catch-all", "loop", "dead-end",
  ]
  /// A million users with one old scheme are one finding, not a million.
  static let mostOfAKind = 1000

  private var byKind: [String: (findings: [AccountFinding], count: Int)] = [:]

  mutating func add(_ finding: AccountFinding) {
    var (findings, count) = byKind.removeValue(forKey: finding.kind) ?? ([], 0)
    if count < Self.mostOfAKind { findings.append(finding) }
    byKind[finding.kind] = (findings, count + 1)
  }

  mutating func add(_ findings: [AccountFinding]) { for finding in findings { add(finding) } }

  /// - Parameter path: of the database.
  func all(path: String) -> [AccountFinding] {
    let known = Self.order.filter { byKind[$0] != nil }
    return (known + byKind.keys.filter { !known.contains($0) }.sorted()).flatMap { kind in
      let (findings, count) = byKind[kind] ?? ([], 0)
      guard count > findings.count, let first = findings.first else { return findings }
      return findings + [AccountFinding(first.severity, kind, path, "\(count - findings.count) more of this kind")]
    }
  }
}
