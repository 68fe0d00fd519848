import JSON
import Text

extension StatusReport {
  /// Version 1 of the contract. Fields that don't apply are null, never left out.
  public func json() -> JSONText {
    let now: [(String, JSONText)] = [
      ("schema", .integer(1)),
      ("state", .string(state.rawValue)),
      ("since", time(since)),
      ("reasons", .array(reasons.map(JSONText.string))),
      ("host", .string(host)),
      ("boot_id", .string(bootID)),
      ("vault", json(of: vault)),
      ("vaults", .array(([vault] + otherVaults).map(json(of:)))),
      ("checks", .array(checks.map(json(of:)))),
      ("services", .array(services.map(json(of:)))),
      ("waiting", waiting.map(json(of:)) ?? .null),
    ]
    let before: [(String, JSONText)] = [
      ("last_unlock", lastUnlock.map(json(of:)) ?? .null),
      ("host_test", hostTest?.json() ?? .null),
      ("dns_check", dnsCheck?.json() ?? .null),
      ("queue", queue?.json() ?? .null),
    ]
    return .object(now + before)
  }

  private func json(of vault: Vault) -> JSONText {
    .object([
      ("name", .string(vault.name)),
      ("type", .string(vault.type.rawValue)),
      ("device", .optional(vault.device)),
      ("uuid", .optional(vault.uuid)),
      ("mapping", .optional(vault.mapping)),
      ("open", .bool(vault.open)),
      ("mount", .string(vault.mount)),
      ("mounted", .bool(vault.mounted)),
      ("size_bytes", bytes(vault.sizeBytes)),
      ("available_bytes", bytes(vault.availableBytes)),
    ])
  }

  private func json(of waiting: Waiting) -> JSONText {
    .object([
      ("since", time(waiting.since)), ("seconds", .seconds(waiting.seconds)),
      ("attempts_failed", .integer(Int64(waiting.attemptsFailed))),
    ])
  }

  private func json(of check: CheckRecord) -> JSONText {
    .object([
      ("name", .string(check.name.rawValue)),
      ("result", .string(check.result.rawValue)),
      ("detail", .string(check.detail)),
      ("hint", .optional(check.hint)),
    ])
  }

  private func json(of service: Service) -> JSONText {
    .object([
      ("name", .string(service.name)),
      (
        "units",
        .array(
          service.units.map { unit in
            .object([
              ("unit", .string(unit.unit)),
              ("active_state", .string(unit.activeState)),
              ("sub_state", .string(unit.subState)),
            ])
          })
      ),
      ("ready", .bool(service.ready)),
      ("probe", .optional(service.probe)),
      ("probed_at", time(service.probedAt)),
      ("detail", .optional(service.detail)),
      ("since", time(service.since)),
    ])
  }

  private func json(of unlock: UnlockRecord) -> JSONText {
    .object([
      ("at", .string(timestamp(unlock.at))),
      ("by", .string(unlock.by)),
      ("via", unlock.via == .none ? .null : .string(unlock.via.rawValue)),
      ("seconds", .seconds(unlock.seconds)),
      ("steps", .array(unlock.steps.map(\.json))),
    ])
  }

  private func time(_ seconds: Double?) -> JSONText { seconds.map { .string(timestamp($0)) } ?? .null }

  private func bytes(_ count: UInt64?) -> JSONText { count.map { .integer(Int64(clamping: $0)) } ?? .null }
}
