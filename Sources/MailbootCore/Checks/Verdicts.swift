/// Turns findings into verdicts by severity, and remembers them.
public struct Verdicts: Equatable, Sendable {
  public private(set) var records: [CheckRecord] = []
  private let verify: Configuration.Verify

  public init(_ verify: Configuration.Verify) {
    self.verify = verify
  }

  /// Whether anybody wants to know.
  public func wants(_ group: CheckGroup) -> Bool {
    group.checks.contains { verify.severity(of: $0) != .off }
  }

  /// Whether services have to wait for it.
  public func requires(_ group: CheckGroup) -> Bool {
    group.checks.contains { verify.severity(of: $0) == .require }
  }

  /// Takes a group's findings; a check of the group with no finding is a skip, one that is off too.
  public mutating func take(_ findings: [Finding], of group: CheckGroup, at time: Double) -> [CheckRecord] {
    var taken: [CheckRecord] = []
    for check in group.checks {
      let severity = verify.severity(of: check)
      let record: CheckRecord
      if severity == .off {
        record = CheckRecord(name: check, result: .skip, detail: "off", hint: nil, at: time)
      } else if let finding = findings.first(where: { $0.check == check }) {
        let result: CheckResult = finding.sound ? .pass : severity == .require ? .fail : .warn
        record = CheckRecord(
          name: check, result: result, detail: finding.detail, hint: finding.sound ? nil : finding.hint, at: time)
      } else {
        record = CheckRecord(name: check, result: .skip, detail: "could not be looked at", hint: nil, at: time)
      }
      taken.append(record)
    }
    records = (records + taken).sorted { $0.name < $1.name }
    return taken
  }

  public var failed: [CheckRecord] { records.filter { $0.result == .fail } }
}
