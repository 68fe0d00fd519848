import Console
import MailbootCore
import Text

extension Terminal {
  /// Standard output; what goes into a file or a mail is no wider than a usual screen either.
  static var forReading: Terminal {
    let output = Terminal(descriptor: 1)
    return output.isLive ? output : Terminal(columns: 79)
  }
}

/// What a check of the DNS has found, for people: what is to be done first.
struct FindingText {
  let terminal: Terminal
  let showsAll: Bool

  private typealias Finding = DNSCheckRecord.Finding

  func lines(_ record: DNSCheckRecord) -> [String] {
    let good = record.findings.filter { $0.severity == 0 && $0.muted == nil }
    let remarks = good.filter { $0.result == "remark" }
    let absent = good.filter { $0.result == "missing" }
    let right = good.filter { $0.result == "right" }
    var lines: [String] = []
    for finding in record.bad + remarks { lines += self.lines(finding) }
    for finding in record.findings where finding.muted != nil { lines += self.lines(finding) }
    if showsAll { for finding in absent + right { lines += self.lines(finding) } }
    var summary = ["\(right.count + remarks.count) right"]
    let worst = record.findings.count { $0.severity == 2 }
    let others = record.findings.count { $0.severity == 1 }
    if worst > 0 { summary.append("\(worst) must be mended") }
    if others > 0 { summary.append("\(others) should be looked at") }
    if !absent.isEmpty { summary.append("\(absent.count) optional not there") }
    let muted = record.findings.count { $0.muted != nil }
    if muted > 0 { summary.append("\(muted) muted") }
    return lines + [
      terminal.wrapped(summary.joined(separator: ", ") + (showsAll ? "" : " (--all shows each)"), indent: 2)
    ]
  }

  /// What is there now and was not, and the other way round; nothing when nothing has changed.
  func changes(_ record: DNSCheckRecord, since before: DNSCheckRecord?) -> [String] {
    let (now, then) = (record.bad, before?.bad ?? [])
    let new = now.filter { finding in !then.contains { $0.isSame(as: finding) } }
    // What was not asked, is not there any more or is muted is not said to be right.
    let gone = then.filter { finding in
      record.findings.contains {
        $0.name == finding.name && ["right", "remark"].contains($0.result) && $0.muted == nil
      }
    }
    return new.flatMap { lines($0) }
      + gone.map { terminal.coloured("good   ", .green) + " \(visibleInLine($0.name)): is right now" }
  }

  private func lines(_ finding: Finding) -> [String] {
    let (word, colour) = sign(finding)
    var lines = [terminal.coloured(word.padded(7), colour) + " \(visibleInLine(finding.name))"]
    func add(_ text: String) {
      lines.append(terminal.wrapped("        " + visibleInLine(text), indent: 8))
    }
    add((["not everywhere yet", "unknown"].contains(finding.result) ? finding.result + ": " : "") + finding.detail)
    if let muted = finding.muted { add("muted: \(muted)") }
    if let hint = finding.hint, finding.result != "right", finding.muted == nil { add("hint: \(hint)") }
    return lines
  }

  private func sign(_ finding: Finding) -> (String, Terminal.Colour) {
    if finding.muted != nil { return ("muted", .dim) }
    switch finding.severity {
    case 2: return ("MEND", .red)
    case 1: return ("look", .yellow)
    default:
      return finding.result == "missing"
        ? ("absent", .dim) : finding.result == "remark" ? ("note", .dim) : ("ok", .green)
    }
  }
}
