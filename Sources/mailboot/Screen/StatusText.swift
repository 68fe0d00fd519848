import Console
import MailbootCore
import Text

/// `mailboot status` for people.
struct StatusText {
  let report: StatusReport
  let terminal: Terminal
  /// Seconds since 1970.
  let now: Double

  func lines() -> [String] {
    [headline()] + report.reasons.map { "  - \($0)" } + [""] + vault() + headerBackup() + checks() + hostTest()
      + dnsCheck() + queue()
      + services()
      + lastUnlock() + next()
  }

  /// The command that goes on from here.
  private func next() -> [String] {
    if report.needsPassphrase { return ["next      `mailboot` asks for the passphrase and brings everything up"] }
    guard report.canBeCompleted else { return [] }
    let closed = report.closedVaults
    return closed.isEmpty
      ? ["next      `mailboot` completes what is missing, and asks for nothing"]
      : [
        "next      `mailboot` brings up \(closed.joined(separator: ", ")), and asks for the passphrase if it takes one"
      ]
  }

  private func headline() -> String {
    var text = "\(report.host): \(report.state.rawValue)"
    if let since = report.since { text += " since \(timestamp(since)) (\(age(now - since)))" }
    if let busy = report.busy { text += ", \(busy.verb) by \(busy.by), process \(busy.pid)" }
    return text
  }

  private func vault() -> [String] {
    guard report.otherVaults.isEmpty else {
      let all = [report.vault] + report.otherVaults
      let width = all.map(\.name.count).max() ?? 0
      return ["vaults"]
        + all.map { "  \(($0.mounted ? "ok" : "--").padded(4))  \($0.name.padded(width))  \(line(of: $0))" }
    }
    let vault = report.vault
    guard vault.type != .plain else { return ["vault     none: \(vault.mount) is a directory like others"] + space() }
    let device = vault.device ?? "(looked for when it is opened)"
    if vault.broken { return ["vault     \(device), broken down"] }
    guard vault.open else { return ["vault     \(device), closed"] }
    var text = "vault     \(device), open" + (vault.mapping.map { " as \($0)" } ?? "")
    text += vault.mounted ? ", mounted on \(vault.mount)" : ", not mounted"
    return [text] + space()
  }

  /// One of several: `/dev/vdb as vault-blk on /vault, 12 GiB of 40 GiB free`.
  private func line(of vault: StatusReport.Vault) -> String {
    if vault.type == .plain { return "\(vault.mount), not encrypted" }
    let device = vault.device ?? "(looked for when it is opened)"
    if vault.broken { return "\(device), broken down" }
    guard vault.open else { return "\(device), closed" }
    let open = device + (vault.mapping.map { " as \($0)" } ?? "")
    guard vault.mounted else { return "\(open), open, not mounted" }
    guard let size = vault.sizeBytes, let free = vault.availableBytes, size > 0 else {
      return "\(open) on \(vault.mount)"
    }
    return "\(open) on \(vault.mount), \(mebibytes(free)) of \(mebibytes(size)) free"
  }

  /// Nothing as long as there is one that is not older than the keys.
  private func headerBackup() -> [String] {
    // The command on a line of its own: both would not go into 80 columns.
    guard let complaint = report.headerBackup?.complaint else { return [] }
    guard let command = complaint.firstIndex(of: "`") else { return ["header    " + complaint] }
    return ["header    " + complaint[..<command], "          " + complaint[command...]]
  }

  private func space() -> [String] {
    let vault = report.vault
    guard let size = vault.sizeBytes, let free = vault.availableBytes, size > 0 else { return [] }
    return ["space     \(mebibytes(free)) of \(mebibytes(size)) free (\(free * 100 / size) %)"]
  }

  private func mebibytes(_ bytes: UInt64) -> String {
    bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB"
  }

  private func checks() -> [String] {
    guard let first = report.checks.first else { return [] }
    let bad = report.checks.filter { $0.result == .warn || $0.result == .fail }
    let passed = report.checks.count { $0.result == .pass }
    return ["checks    \(passed) passed, \(bad.count) not, \(age(now - first.at)) ago"]
      + bad.flatMap { check in
        ["  \(check.result == .fail ? "FAIL" : "warn")  \(check.name.rawValue): \(check.detail)"]
          + (check.hint.map { ["        " + $0] } ?? [])
      }
  }

  private func hostTest() -> [String] {
    guard let test = report.hostTest else { return [] }
    let skipped = test.count(.skip)
    let more = skipped > 0 ? ", \(skipped) not tried" : ""
    return ["test      \(test.count(.pass)) passed, \(test.failed.count) failed\(more), \(age(now - test.at)) ago"]
      + test.failed.flatMap { failed in
        ["  warn  \(failed.name): \(failed.detail)"] + (failed.hint.map { ["        " + $0] } ?? [])
      }
  }

  private func dnsCheck() -> [String] {
    guard let check = report.dnsCheck else { return [] }
    let bad = check.bad
    let count = bad.isEmpty ? "all right" : "\(bad.count) to be mended"
    return ["dns       \(count), \(age(now - check.at)) ago" + (bad.isEmpty ? "" : ": `mailhost dns check`")]
      + bad.prefix(Self.mostFindings).map { "  warn  \($0.name): \($0.detail)" }
  }

  /// Of the DNS; the rest `mailhost dns check` has.
  private static let mostFindings = 3

  /// Nothing as long as nothing waits.
  private func queue() -> [String] {
    guard let queue = report.queue, queue.count > 0 else { return [] }
    let count = "\(queue.count)\(queue.hasMore ? "+" : "") \(queue.count == 1 ? "mail" : "mails")"
    let since = queue.oldest.map { ", the oldest for \(age(now - $0))" } ?? ""
    return ["queue     \(count) put off\(since): `mailhost queue` tells why"]
  }

  private func services() -> [String] {
    guard report.state != .unknown else { return [] }
    return ["services"]
      + report.services.map { service in
        let units = service.units.map { "\($0.activeState) (\($0.subState))" }
        let state = Set(units).count == 1 ? units[0] : units.joined(separator: ", ")
        var text = "  \((service.ready ? "ok" : "--").padded(4))  \(service.name.padded(14)) \(state)"
        if let probed = service.probedAt, let detail = service.detail {
          text += "; \(age(now - probed)) ago: \(brief(detail, 28))"
        }
        return text
      }
  }

  private func lastUnlock() -> [String] {
    guard let unlock = report.lastUnlock else { return [] }
    var text =
      "unlock    \(timestamp(unlock.at)) by \(unlock.by) (\(unlock.via.rawValue)), \(decimal(unlock.seconds, places: 1)) s"
    if let failed = unlock.steps.last(where: { $0.outcome == .failed }) { text += ", failed at \(failed.name)" }
    return [text]
  }
}

/// An answer of a service, short enough for a line: IMAP servers list their capabilities before they say who they are.
public func brief(_ answer: String, _ limit: Int = 60) -> String {
  var text = answer[...]
  if let open = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"), open < end {
    text = text[..<open] + text[text.index(after: end)...].drop { $0 == " " }
  }
  return text.count > limit ? text.prefix(limit - 3) + "..." : String(text)
}
