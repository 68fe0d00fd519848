import Console
import JSON
import MailHost
import Text

/// How a snapshot differs from the host, in words and for scripts.
struct RestoreText {
  let plan: RestorePlan
  /// Names of those that are put back, or would be.
  let due: Set<String>

  /// As many as a screen has room for.
  private static let mostChanges = 30

  func lines(_ terminal: Terminal) -> [String] {
    var lines: [String] = []
    for part in SnapshotPart.allCases {
      let items = plan.items.filter { $0.entry.part == part }
      if items.isEmpty { continue }
      let different = items.filter(\.isWanted)
      let same = items.count { !$0.isWanted && $0.entry.kind != .directory }
      let count = different.isEmpty ? "as in the snapshot" : same > 0 ? "\(same) as in the snapshot" : ""
      lines.append(terminal.coloured(part.rawValue, .bold) + (count.isEmpty ? "" : "  \(count)"))
      for item in different { lines += self.lines(item, terminal) }
    }
    return lines
  }

  private func lines(_ item: RestorePlan.Item, _ terminal: Terminal) -> [String] {
    let word = Self.word(item.difference).padded(8)
    let colour: Terminal.Colour = due.contains(item.entry.name) ? .green : .yellow
    var lines = ["  \(terminal.coloured(word, colour)) \(visibleInLine(item.path))"]
    if let reason = item.reason { lines.append(terminal.wrapped("           " + visible(reason), indent: 11)) }
    if item.entry.name == SnapshotPlaces.database {
      let changes = plan.accountChanges
      lines += changes.prefix(Self.mostChanges).map {
        terminal.fitted("           \($0.direction.rawValue.padded(8))\(visibleInLine($0.text))")
      }
      if changes.count > Self.mostChanges {
        lines.append("           and \(changes.count - Self.mostChanges) more; `--format json` has all")
      }
    }
    return lines
  }

  /// What stands here, as seen from the snapshot.
  static func word(_ difference: SnapshotDifference) -> String {
    switch difference {
    case .same: "same"
    case .attributes: "owner"
    case .missing: "missing"
    case .older: "older"
    case .newer: "newer"
    case .empty: "empty"
    case .unreadable: "damaged"
    }
  }

  func ending(isWritten: Bool) -> String {
    let different = plan.different
    let left = different.filter { !due.contains($0.entry.name) }
    if different.isEmpty { return "nothing to do: all of it is as in the snapshot" }
    var lines: [String] = []
    if isWritten {
      lines.append("put back \(due.count) of \(different.count)")
    } else if !due.isEmpty {
      lines.append("nothing was changed; `--write` puts back \(due.count) of \(different.count)")
    } else {
      lines.append("nothing was changed")
    }
    let parts = SnapshotPart.allCases.filter { part in left.contains { $0.entry.part == part } }
    if !parts.isEmpty {
      lines.append(
        "newer or damaged here, and replaced only by name: "
          + parts.map { "`--overwrite \($0.rawValue)`" }.joined(separator: ", "))
    }
    return lines.map { Terminal(columns: 79).wrapped($0, indent: 2) }.joined(separator: "\n")
  }

  /// Version 1 of the contract.
  func json(_ snapshot: Snapshot, isWritten: Bool) -> String {
    let files = plan.items.map { item -> JSONText in
      .object([
        ("name", .string(item.entry.name)), ("path", .string(item.path)),
        ("here", .string(Self.word(item.difference))),
        ("restored", .bool(isWritten && due.contains(item.entry.name))), ("reason", .optional(item.reason)),
      ])
    }
    let accounts = plan.accountChanges.map { change -> JSONText in
      .object([("change", .string(change.direction.rawValue)), ("what", .string(change.text))])
    }
    return JSONText.object([
      ("schema", .integer(1)), ("host", .string(snapshot.manifest.host)), ("taken", .string(snapshot.manifest.taken)),
      ("files", .array(files)), ("accounts", .array(accounts)),
    ]).rendered()
  }
}
