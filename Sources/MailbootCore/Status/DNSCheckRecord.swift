import JSON
import Text

/// What the last `mailhost dns check` found. It is kept over a boot, as what it looks at is.
public struct DNSCheckRecord: Equatable, Sendable {
  public struct Finding: Equatable, Codable, Sendable {
    /// `example.org spf`.
    public var name: String
    /// `required`, `recommended`, `optional`.
    public var rank: String
    /// `right`, `remark`, `not everywhere yet`, `missing`, `wrong`, `unknown`.
    public var result: String
    /// 0 good or muted, 1 a warning, 2 mail does not come or is refused.
    public var severity: Int
    public var detail: String
    public var hint: String?
    /// Why it does not count.
    public var muted: String?

    public init(
      name: String, rank: String, result: String, severity: Int, detail: String, hint: String?, muted: String?
    ) {
      self.name = name
      self.rank = rank
      self.result = result
      self.severity = severity
      self.detail = detail
      self.hint = hint
      self.muted = muted
    }

    /// Whether both say the same of the same thing. What stands in the text may come in another order each time.
    public func isSame(as other: Finding) -> Bool {
      name == other.name && result == other.result && severity == other.severity
    }
  }

  /// When it ended, whole seconds since 1970.
  public var at: Double
  public var findings: [Finding]

  public init(at: Double, findings: [Finding]) {
    self.at = at
    self.findings = findings
  }

  /// Where it is, readable by all.
  public static let path = "/var/lib/mailhost/dns-check.json"

  /// What counts, the worst first.
  public var bad: [Finding] {
    findings.filter { $0.severity == 2 } + findings.filter { $0.severity == 1 }
  }

  /// 0, 1 or 2: the worst of them.
  public var severity: Int { findings.map(\.severity).max() ?? 0 }

  /// With what an earlier check had found of what this one could not ask: an alarm does not end because a name server is silent.
  ///
  /// - Parameter isWhole: whether this one has looked at everything; if not, what it says nothing of is kept, too.
  public func carrying(_ before: DNSCheckRecord?, isWhole: Bool) -> DNSCheckRecord {
    guard let before else { return self }
    var carried = self
    for earlier in before.bad where earlier.result != "unknown" {
      let now = findings.firstIndex { $0.name == earlier.name }
      if let now, findings[now].result == "unknown" {
        carried.findings[now] = earlier
      } else if now == nil, !isWhole {
        carried.findings.append(earlier)
      }
    }
    return carried
  }

  /// Version 1 of the contract.
  public func json() -> JSONText {
    .object([
      ("schema", .integer(1)),
      ("at", .string(timestamp(at))),
      ("severity", .integer(Int64(severity))),
      (
        "findings",
        .array(
          findings.map { finding in
            .object([
              ("name", .string(finding.name)), ("rank", .string(finding.rank)), ("result", .string(finding.result)),
              ("severity", .integer(Int64(finding.severity))), ("detail", .string(finding.detail)),
              ("hint", .optional(finding.hint)), ("muted", .optional(finding.muted)),
            ])
          })
      ),
    ])
  }

  /// Nil when this is no record of ours; single entries that are not understood are left out.
  public init?(json: JSONText) {
    guard let at = json["at"]?.text.flatMap(secondsSince1970(timestamp:)), let items = json["findings"]?.items else {
      return nil
    }
    self.init(at: at, findings: items.compactMap { $0.value(Finding.self) })
  }
}
