import JSON

extension LastResults {
  /// As it stands in `/run/mailboot/state.json`. Times are rounded to milliseconds.
  public func json() -> JSONText {
    .object(
      [
        ("boot_id", .string(bootID)),
        ("checks", .array(checks.map(\.json))),
        ("probes", .object(probes.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) })),
        ("last_unlock", lastUnlock?.json ?? .null),
        ("busy", busy?.json ?? .null),
        ("locked_since", lockedSince.map(JSONText.seconds) ?? .null),
        ("attempts", attempts.json),
      ])
  }

  /// Nil when this is no record of ours; single entries that are not understood are left out.
  public init?(json: JSONText) {
    guard let bootID = json["boot_id"]?.text else { return nil }
    self.init(bootID: bootID)
    checks = json["checks"]?.items?.compactMap(CheckRecord.init(json:)) ?? []
    for (name, probe) in json["probes"]?.members ?? [] { probes[name] = ProbeRecord(json: probe) }
    lastUnlock = json["last_unlock"].flatMap(UnlockRecord.init(json:))
    busy = json["busy"].flatMap(BusyRecord.init(json:))
    lockedSince = json["locked_since"]?.number
    attempts = json["attempts"].flatMap(AttemptCount.init(json:)) ?? AttemptCount()
  }
}

extension AttemptCount {
  var json: JSONText {
    .object([("accepted", .integer(Int64(accepted))), ("refused", .integer(Int64(refused)))])
  }

  init?(json: JSONText) {
    guard let accepted = json["accepted"]?.number.flatMap({ Int(exactly: $0) }), accepted >= 0,
      let refused = json["refused"]?.number.flatMap({ Int(exactly: $0) }), refused >= 0
    else { return nil }
    self.init(accepted: accepted, refused: refused)
  }
}

extension CheckRecord {
  var json: JSONText {
    .object([
      ("name", .string(name.rawValue)), ("result", .string(result.rawValue)), ("detail", .string(detail)),
      ("hint", .optional(hint)), ("at", .seconds(at)),
    ])
  }

  init?(json: JSONText) {
    guard let name = json["name"]?.text.flatMap(CheckName.init(rawValue:)),
      let result = json["result"]?.text.flatMap(CheckResult.init(rawValue:)), let at = json["at"]?.number
    else { return nil }
    self.init(name: name, result: result, detail: json["detail"]?.text ?? "", hint: json["hint"]?.text, at: at)
  }
}

extension ProbeRecord {
  var json: JSONText {
    .object([("answered", .bool(answered)), ("detail", .string(detail)), ("at", .seconds(at))])
  }

  init?(json: JSONText) {
    guard let answered = json["answered"]?.flag, let at = json["at"]?.number else { return nil }
    self.init(answered: answered, detail: json["detail"]?.text ?? "", at: at)
  }
}

extension UnlockRecord {
  var json: JSONText {
    .object([
      ("at", .seconds(at)), ("by", .string(by)), ("via", .string(via.rawValue)), ("seconds", .seconds(seconds)),
      ("steps", .array(steps.map(\.json))),
    ])
  }

  init?(json: JSONText) {
    guard let at = json["at"]?.number, let by = json["by"]?.text, let seconds = json["seconds"]?.number,
      let via = json["via"]?.text.flatMap(UnlockSource.init(rawValue:))
    else { return nil }
    self.init(
      at: at, by: by, via: via, seconds: seconds,
      steps: (json["steps"]?.items ?? []).compactMap(StepRecord.init(json:)))
  }
}

extension StepRecord {
  /// Also what `status` and the journal show.
  var json: JSONText {
    .object([
      ("name", .string(name)), ("outcome", .string(outcome.rawValue)), ("seconds", .seconds(seconds)),
      ("began", began.map(JSONText.seconds) ?? .null),
    ])
  }

  init?(json: JSONText) {
    guard let name = json["name"]?.text, let seconds = json["seconds"]?.number,
      let outcome = json["outcome"]?.text.flatMap(Outcome.init(rawValue:))
    else { return nil }
    self.init(name: name, outcome: outcome, seconds: seconds, began: json["began"]?.number)
  }
}

extension BusyRecord {
  var json: JSONText {
    .object([
      ("pid", .integer(Int64(pid))), ("verb", .string(verb)), ("by", .string(by)), ("phase", .string(phase.rawValue)),
      ("since", .seconds(since)),
    ])
  }

  init?(json: JSONText) {
    guard let pid = json["pid"]?.number.flatMap({ Int32(exactly: $0) }), let verb = json["verb"]?.text,
      let by = json["by"]?.text, let phase = json["phase"]?.text.flatMap(BootState.init(rawValue:)),
      let since = json["since"]?.number
    else { return nil }
    self.init(pid: pid, verb: verb, by: by, phase: phase, since: since)
  }
}
