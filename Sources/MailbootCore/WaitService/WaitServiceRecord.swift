import JSON

/// What `/run/mailboot/service.json` holds: what the service in wait mode knows and nobody else. It counts only while the service
/// runs, but for the answers of probes and checks, which have their own time.
public struct WaitServiceRecord: Equatable, Sendable {
  /// The kernel's boot id; a record of another boot does not count.
  public var bootID: String
  /// Since when it waits for a passphrase, seconds since 1970; nil: it does not.
  public var waitingSince: Double?
  /// Refused since then.
  public var attemptsFailed = 0
  /// Whether the vault has been open in this boot, whoever opened it.
  public var wasOpen = false
  /// By service name.
  public var probes: [String: ProbeRecord] = [:]
  /// Checks that it has made itself, each with its own time.
  public var checks: [CheckRecord] = []
  /// Nil: nobody has counted, or there is nothing to count.
  public var queue: DeferredMail?

  public init(bootID: String) {
    self.bootID = bootID
  }

  public func json() -> JSONText {
    .object(
      [
        ("boot_id", .string(bootID)),
        ("waiting_since", waitingSince.map(JSONText.seconds) ?? .null),
        ("attempts_failed", .integer(Int64(attemptsFailed))),
        ("was_open", .bool(wasOpen)),
        ("probes", .encoding(probes)), ("checks", .encoding(checks)),
        ("queue", .encoding(queue)),
      ])
  }

  /// Nil when it is none of ours.
  public init?(json: JSONText) {
    guard let bootID = json["boot_id"]?.text else { return nil }
    self.bootID = bootID
    waitingSince = json["waiting_since"]?.number
    attemptsFailed = json["attempts_failed"]?.number.flatMap { Int(exactly: $0) } ?? 0
    wasOpen = json["was_open"] == .bool(true)
    for (name, probe) in json["probes"]?.members ?? [] { probes[name] = probe.value(ProbeRecord.self) }
    checks = json["checks"]?.items?.compactMap { $0.value(CheckRecord.self) } ?? []
    queue = json["queue"]?.value(DeferredMail.self)
  }
}
