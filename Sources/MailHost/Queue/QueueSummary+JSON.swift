import JSON
import Text

extension QueueSummary {
  /// Version 1 of the contract. Fields that do not apply are null, never left out.
  public func json() -> JSONText {
    .object([
      ("schema", .integer(1)),
      ("mails", .integer(Int64(mails))),
      ("recipients", .integer(Int64(recipients))),
      ("size_bytes", .integer(size)),
      ("oldest", oldest.map { .string(timestamp($0)) } ?? .null),
      ("queues", json(of: places)),
      ("groups", .array(groups.map(json(of:)))),
      ("ungrouped_recipients", .integer(Int64(ungrouped))),
      ("unread_mails", .integer(Int64(unread))),
    ])
  }

  private func json(of group: Group) -> JSONText {
    .object([
      ("destination", .string(group.destination)),
      ("reason", .optional(group.reason)),
      ("mails", .integer(Int64(group.mails))),
      ("recipients", .integer(Int64(group.recipients))),
      ("oldest", .string(timestamp(group.oldest))),
      ("queues", json(of: group.places)),
    ])
  }

  private func json(of places: [QueuedMail.Place: Int]) -> JSONText {
    .object(QueuedMail.Place.allCases.map { ($0.rawValue, .integer(Int64(places[$0] ?? 0))) })
  }
}

extension QueuedMail {
  /// One mail of `mailhost queue --long --format json`, to be written as a line.
  public func json() -> JSONText {
    .object([
      ("id", .string(id)),
      ("queue", .string(place.rawValue)),
      ("arrived", .string(timestamp(arrived))),
      ("size_bytes", .integer(size)),
      ("sender", .string(sender)),
      (
        "recipients",
        .array(
          recipients.map { .object([("address", .string($0.address)), ("reason", .optional($0.reason))]) })
      ),
    ])
  }
}
