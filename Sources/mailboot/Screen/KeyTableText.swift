import Console
import JSON
import MailbootCore
import Text

/// Keyslots for people and for programs.
struct KeyTableText {
  private let table: KeyTable

  init(_ table: KeyTable) { self.table = table }

  func lines() -> [String] {
    let rows = [["slot", "what", "key derivation", "memory", "time here"]] + table.keyslots.map(row)
    let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let free = table.capacity - table.keyslots.count
    let lines = rows.map { row in
      zip(row, widths).map { $0.padded($1 + 2) }.joined().trimmed
    }
    return table.version == 0 ? lines : lines + ["\(free) of \(table.capacity) keyslots are free"]
  }

  private func row(_ slot: Keyslot) -> [String] {
    var what = slot.kind == .token ? slot.tokens.joined(separator: ", ") : slot.kind.name
    if slot.priority != "normal" { what += " (\(slot.priority))" }
    let rounds = slot.iterations > 0 ? ", \(slot.iterations)" : ""
    let memory =
      slot.memoryKiB == 0 ? "-" : slot.memoryKiB < 1024 ? "\(slot.memoryKiB) KiB" : "\(slot.memoryKiB >> 10) MiB"
    return [
      "\(slot.number)", what, slot.derivation.isEmpty ? "-" : slot.derivation + rounds, memory,
      slot.seconds.map { decimal($0, places: $0 < 0.1 ? 3 : 1) + " s" } ?? "-",
    ]
  }

  func json(_ backup: HeaderBackupState?) -> JSONText {
    .object([
      ("schema", .integer(1)),
      ("luks", table.version == 0 ? .null : .integer(Int64(table.version))),
      ("uuid", table.version == 0 ? .null : .string(table.uuid)),
      ("label", .optional(table.label)),
      ("capacity", .integer(Int64(table.capacity))),
      ("keyslots", .array(table.keyslots.map(json(of:)))),
      (
        "header_backup",
        backup.map {
          .object([
            ("state", .string($0.state.rawValue)), ("path", .optional($0.path)),
            ("at", $0.at.map { .string(timestamp($0)) } ?? .null),
          ])
        } ?? .null
      ),
    ])
  }

  private func json(of slot: Keyslot) -> JSONText {
    .object([
      ("keyslot", .integer(Int64(slot.number))),
      ("kind", .string(slot.kind.rawValue)),
      ("usable", .bool(slot.isUsable)),
      ("priority", .string(slot.priority)),
      ("tokens", .array(slot.tokens.map(JSONText.string))),
      ("derivation", slot.derivation.isEmpty ? .null : .string(slot.derivation)),
      ("iterations", .integer(Int64(slot.iterations))),
      ("memory_bytes", .integer(Int64(slot.memoryKiB) << 10)),
      ("threads", .integer(Int64(slot.threads))),
      ("seconds", slot.seconds.map(JSONText.seconds) ?? .null),
    ])
  }
}

extension String {
  /// Without blanks at its end.
  fileprivate var trimmed: String { String(self.reversed().drop { $0 == " " }.reversed()) }
}
