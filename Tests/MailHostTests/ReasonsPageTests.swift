import Foundation
import MailHost
import MailHostProof
import TestSupport
import Testing

/// `docs/mail-host-settings.md`: all settings of both releases, made of the templates.
struct ReasonsPageTests {
  private static let mark = "<!-- the tables -->\n"

  /// `MAILBOOT_WRITE_DOCS=1 swift test --filter theDocumentationHasTheTemplatesReasons` writes it.
  @Test func theDocumentationHasTheTemplatesReasons() throws {
    let page = repositoryFile("docs/mail-host-settings.md")
    let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: Self.mark)
    try #require(parts.count == 3)
    let tables = try Self.tables()
    if ProcessInfo.processInfo.environment["MAILBOOT_WRITE_DOCS"] != nil {
      try (parts[0] + Self.mark + tables + Self.mark + parts[2]).write(to: page, atomically: true, encoding: .utf8)
    }
    #expect(parts[1] == tables)
  }

  /// Settings with one reason, in one file.
  private struct Row {
    var file: String
    var reason: Reason
    /// Each with the hosts that have it.
    var settings: [(text: String, hosts: Set<String>)] = []
  }

  private static func tables() throws -> String {
    var rows: [Row] = []
    for name in ["12", "13", "12, everything", "13, everything"] {
      // Rows of one host stay in their order; those that others do not have come after the ones before them.
      var place = -1
      for setting in Reasons(try HostVariant.named(name).rendered()).settings {
        if let known = rows.firstIndex(where: { $0.file == setting.file && $0.reason == setting.reason }) {
          place = known
        } else {
          let isInFile = rows.indices.contains(place) && rows[place].file == setting.file
          place = isInFile ? place + 1 : rows.firstIndex { $0.file == setting.file } ?? rows.count
          rows.insert(Row(file: setting.file, reason: setting.reason), at: place)
        }
        let text = setting.value.isEmpty ? setting.name : "\(setting.name) = \(setting.value)"
        if let known = rows[place].settings.firstIndex(where: { $0.text == text }) {
          rows[place].settings[known].hosts.insert(name)
        } else if !name.hasSuffix("everything") || !has(rows[place], setting, name) {
          rows[place].settings.append((text, [name]))
        }
      }
    }
    var lines: [String] = []
    var file = ""
    for row in rows where !row.settings.isEmpty {
      if row.file != file {
        lines += ["", "## `\(row.file)`", "", "| setting | why | since | proof |", "|---|---|---|---|"]
      }
      file = row.file
      let settings = row.settings.map { "`\(cell($0.text))`\(on($0.hosts))" }.joined(separator: "<br>")
      let proofs = row.reason.proofs.map { "`\($0)`" }.joined(separator: ", ")
      lines.append("| \(settings) | \(cell(row.reason.text)) | \(cell(row.reason.since ?? "any")) | \(proofs) |")
    }
    lines += ["", "## What `mailhost test` shows", "", "| name | shows |", "|---|---|"]
    lines += ProofName.allCases.map { "| `\($0.rawValue)` | \($0.meaning) |" }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether the plain host of the release has this setting, with the value that it has there.
  private static func has(_ row: Row, _ setting: ExplainedSetting, _ name: String) -> Bool {
    row.settings.contains { known in
      known.hosts.contains(String(name.prefix(2))) && known.text.hasPrefix(setting.name + " =")
    }
  }

  /// Nothing where all hosts have it.
  private static func on(_ hosts: Set<String>) -> String {
    let plain = hosts.intersection(["12", "13"])
    let releases = plain.isEmpty ? Set(hosts.map { String($0.prefix(2)) }) : plain
    let which = releases.count == 2 ? "" : "Debian \(releases.first ?? "")"
    let when = plain.isEmpty ? "if asked for" : ""
    let text = [which, when].filter { !$0.isEmpty }.joined(separator: ", ")
    return text.isEmpty ? "" : " (\(text))"
  }

  private static func cell(_ text: String) -> String {
    text.replacingOccurrences(of: "|", with: "\\|")
  }
}
