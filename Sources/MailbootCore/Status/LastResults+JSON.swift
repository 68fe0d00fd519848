import JSON

extension LastResults {
  /// As it stands in `/run/mailboot/state.json`. Times are rounded to milliseconds.
  public func json() -> JSONText {
    .object([
      ("boot_id", .string(bootID)), ("checks", .encoding(checks)), ("probes", .encoding(probes)),
      ("last_unlock", .encoding(lastUnlock)), ("busy", .encoding(busy)),
      ("locked_since", lockedSince.map(JSONText.seconds) ?? .null), ("attempts", .encoding(attempts)),
      ("header_backup", .encoding(headerBackup)),
    ])
  }

  /// Nil when this is no record of ours; single entries that are not understood are left out.
  public init?(json: JSONText) {
    guard let bootID = json["boot_id"]?.text else { return nil }
    self.init(bootID: bootID)
    checks = json["checks"]?.items?.compactMap { $0.value(CheckRecord.self) } ?? []
    for (name, probe) in json["probes"]?.members ?? [] { probes[name] = probe.value(ProbeRecord.self) }
    lastUnlock = json["last_unlock"]?.value(UnlockRecord.self)
    busy = json["busy"]?.value(BusyRecord.self)
    lockedSince = json["locked_since"]?.number
    headerBackup = json["header_backup"]?.value(HeaderBackupState.self)
    let counted = json["attempts"]?.value(AttemptCount.self)
    attempts = counted.flatMap { $0.accepted >= 0 && $0.refused >= 0 ? $0 : nil } ?? AttemptCount()
  }
}

extension JSONText {
  /// A value of a type that keeps to Codable's rules, which all of ours do; nil becomes null.
  static func encoding(_ value: (some Encodable)?) -> JSONText {
    value.flatMap { try? JSONText(encoding: $0) } ?? .null
  }

  /// Nil when this stands for no such value.
  func value<Value: Decodable>(_ type: Value.Type) -> Value? { try? decoded(as: type) }
}

extension StepRecord {
  /// As `status` and the journal show it.
  var json: JSONText {
    .object([
      ("name", .string(name)), ("outcome", .string(outcome.rawValue)), ("seconds", .seconds(seconds)),
      ("began", began.map(JSONText.seconds) ?? .null),
    ])
  }
}
