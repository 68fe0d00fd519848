import DNS
import JSON

extension WantedRecords {
  /// Version 1 of the contract.
  public func json() -> JSONText {
    func rows(_ about: String?, _ records: [WantedRecord]) -> [JSONText] {
      records.map { wanted in
        .object([
          ("domain", .optional(about)), ("name", .string(wanted.record.name)),
          ("type", .string(wanted.record.type.text)), ("ttl", .integer(Int64(wanted.record.ttl))),
          ("value", .string(wanted.record.text ?? wanted.record.zoneData)), ("zone", .string(wanted.record.zoneData)),
          ("rank", .string(wanted.rank.rawValue)), ("reason", .string(wanted.reason)),
          ("not_now", .optional(wanted.unless)),
        ])
      }
    }
    return .object([
      ("schema", .integer(1)), ("records", .array(rows(nil, host) + domains.flatMap { rows($0.name, $0.records) })),
      ("notes", .array(notes.map { .string($0) })),
    ])
  }
}
