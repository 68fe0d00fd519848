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
    group.checks.contains { verify.severity(of: $0) >= .require }
  }

  /// Takes a group's findings.
  public mutating func take(_ findings: [Finding], of group: CheckGroup, at time: Double) -> [CheckRecord] {
    let taken = group.checks.map { check in
      verdict(on: check, findings.first { $0.check == check }, at: time)
    }
    records = (records + taken).sorted { $0.name < $1.name }
    return taken
  }

  private func verdict(on check: CheckName, _ finding: Finding?, at time: Double) -> CheckRecord {
    let severity = verify.severity(of: check)
    guard severity != .off else { return CheckRecord(name: check, result: .skip, detail: "off", hint: nil, at: time) }
    guard let finding else {
      // Services were to wait for what it says, and it has said nothing.
      let result: CheckResult = severity >= .require ? .fail : .skip
      return CheckRecord(name: check, result: result, detail: "could not be looked at", hint: nil, at: time)
    }
    let result: CheckResult =
      if !finding.applies { .skip } else {
        switch finding.grade {
        case .sound: .pass
        case .warning: verify.isStrict(check) ? .fail : .warn
        case .fatal: severity >= .require ? .fail : .warn
        }
      }
    return CheckRecord(
      name: check, result: result, detail: finding.detail, hint: finding.sound ? nil : finding.hint, at: time)
  }

  public var failed: [CheckRecord] { records.filter { $0.result == .fail } }
}
