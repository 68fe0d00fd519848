import JSON
import Text

extension History {
  /// For `mailboot history --format json`. What does not apply is null.
  public func json() -> JSONText {
    .object([("schema", .integer(1)), ("boots", .array(boots.map(\.json)))])
  }
}

extension History.Boot {
  fileprivate var json: JSONText {
    .object([
      ("boot_id", .string(id)), ("at", .string(timestamp(at))), ("refused", .integer(Int64(refused))),
      ("runs", .array(runs.map(\.json))),
    ])
  }
}

extension History.Run {
  fileprivate var json: JSONText {
    func time(_ seconds: Double?) -> JSONText { seconds.map(JSONText.seconds) ?? .null }
    return .object([
      ("verb", .string(verb.rawValue)), ("outcome", .string(outcome.rawValue)), ("at", .string(timestamp(at))),
      ("by", .string(by)), ("via", .optional(via?.rawValue)), ("emergency", .bool(emergency)),
      ("seconds", time(seconds)), ("locked_seconds", time(locked)), ("key_gone_seconds", time(keyGone)),
      ("refused", .integer(Int64(refused))), ("failed_step", .optional(failedStep)),
      ("code", code.map { .integer(Int64($0)) } ?? .null), ("reason", .optional(reason)),
      ("steps", .array(steps.map(\.json))),
    ])
  }
}
