import Foundation
import MailbootCore
import Testing

/// What keeps mail down, in the code and in the documentation.
struct FindingKindTests {
  private static let page = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../../docs/what-keeps-mail-down.md")

  /// `MAILBOOT_WRITE_DOCS=1 swift test --filter theDocumentationHasTheCodesGrades` writes it.
  @Test func theDocumentationHasTheCodesGrades() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let parts = text.components(separatedBy: "<!-- the table -->\n")
    try #require(parts.count == 3)
    let table = Self.table()
    if ProcessInfo.processInfo.environment["MAILBOOT_WRITE_DOCS"] != nil {
      try (parts[0] + "<!-- the table -->\n" + table + "<!-- the table -->\n" + parts[2]).write(
        to: Self.page, atomically: true, encoding: .utf8)
    }
    #expect(parts[1] == table)
  }

  private static func table() -> String {
    var lines = ["| check | found | starting would | |", "|---|---|---|---|"]
    for kind in FindingKind.allCases {
      let last = kind.grade == .fatal ? "**keeps mail down**" : "warns"
      lines.append("| `\(kind.check.rawValue)` | \(kind.meaning) | \(kind.harm?.rawValue ?? "") | \(last) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test func everyCheckKnowsWhatItMayFind() {
    #expect(Set(FindingKind.allCases.map(\.check)) == Set(CheckName.allCases))
  }

  /// The order of the enumeration is the order of reports, so that the table has each check's findings together.
  @Test func kindsStandInTheOrderOfTheirChecks() {
    let order: [CheckName] = [
      .mount, .freeSpace, .database, .dkim, .certificate, .certificateExpiry, .certificateNames, .postfix, .dovecot,
      .rspamd, .maps,
    ]
    let seen = FindingKind.allCases.map(\.check).reduce(into: [CheckName]()) { if $0.last != $1 { $0.append($1) } }
    #expect(seen == order)
  }
}
