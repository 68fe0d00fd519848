import Console
import JSON
import MailHost
import Text

/// What is in a snapshot, in words and for scripts.
enum SnapshotText {
  static func title(_ snapshot: Snapshot, now: Double) -> String {
    let manifest = snapshot.manifest
    let old = secondsSince1970(timestamp: manifest.taken).map { " (\(age(now - $0)) ago)" } ?? ""
    return "snapshot of \(manifest.host), taken \(manifest.taken)\(old)"
  }

  static func lines(_ inspection: SnapshotInspection) -> [String] {
    inspection.summaries.map { "  \($0.part.rawValue.padded(9)) \($0.text)" }
  }

  /// Version 1 of the contract.
  static func json(_ snapshot: Snapshot, _ inspection: SnapshotInspection, _ first: [(String, JSONText)]) -> String {
    let manifest = snapshot.manifest
    return JSONText.object(
      [("schema", .integer(1))] + first + [
        ("host", .string(manifest.host)), ("taken", .string(manifest.taken)), ("program", .string(manifest.program)),
        ("counts", .object(inspection.counts.map { ($0.0, .integer(Int64($0.1))) })),
        ("domains", .array(inspection.domains.map(JSONText.string))),
        ("problems", .array(inspection.problems.map(JSONText.string))),
        ("notes", .array(inspection.notes.map(JSONText.string))),
      ]
    ).rendered()
  }
}
