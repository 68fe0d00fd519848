import JSON

extension Configuration {
  /// The complete configuration, defaults written out, with the names of `mailboot.toml`; durations in seconds, what is found out
  /// at run time null.
  public func json() -> JSONText {
    .object([
      ("vault", json(of: vault)), ("vaults", .array(vaults.map(json(of:)))),
      ("bind", .array(binds.map { .object([("from", .string($0.from)), ("to", .string($0.to))]) })),
      ("verify", verifyJSON()),
      (
        "service",
        .array(
          services.map { service in
            .object([
              ("name", .string(service.name)), ("after", list(service.after)), ("vaults", list(service.vaults)),
              ("probe", .optional(service.probeText)),
            ])
          })
      ),
      (
        "unlock",
        .object([
          ("attempts", integer(unlock.attempts)), ("on-failure", .string(unlock.onFailure.rawValue)),
          ("service-timeout", integer(unlock.serviceTimeout)), ("device-timeout", integer(unlock.deviceTimeout)),
        ])
      ),
      (
        "notify",
        .object([
          ("directory", .string(notify.directory)), ("remind-every", notify.remindEvery.map(integer) ?? .null),
          ("timeout", integer(notify.timeout)),
        ])
      ),
      (
        "monitoring",
        .object([
          ("prometheus-file", .optional(monitoring.prometheusFile)), ("probe-every", integer(monitoring.probeEvery)),
        ])
      ),
      (
        "wait",
        .object([
          ("key-device", .optional(wait.keyDevice)), ("key-file", .optional(wait.keyFile)),
          ("token", .bool(wait.token)),
          ("ask", .bool(wait.ask)), ("complete", wait.complete.map(JSONText.bool) ?? .null),
        ])
      ),
      (
        "accounts",
        .object([
          ("scheme", .string(accounts.scheme)), ("spool", .string(accounts.spool)), ("sieve", .string(accounts.sieve)),
          ("owner", .string(accounts.owner)),
        ])
      ),
    ])
  }

  private func json(of vault: Vault) -> JSONText {
    .object([
      ("name", .string(vault.name)), ("type", .optional(vault.type?.rawValue)),
      ("device", .optional(vault.shownDevice)), ("mapping", .optional(vault.mappingName)),
      ("mount", .string(vault.mount)), ("options", list(vault.options)),
      ("filesystem", .optional(vault.kind.isMapped ? vault.filesystem : nil)), ("header", .optional(vault.header)),
      ("key-file", .optional(vault.keyFile)), ("pim", vault.pim.map(integer) ?? .null),
    ])
  }

  private func verifyJSON() -> JSONText {
    .object([
      ("database", .string(verify.database)), ("dkim-directory", .string(verify.dkimDirectory)),
      ("dkim-selector", .string(verify.dkimSelector)), ("dkim-user", .string(verify.dkimUser)),
      ("certificate", .optional(verify.certificate)), ("certificate-key", .optional(verify.certificateKey)),
      ("host-name", .optional(verify.hostName)), ("free-space-warning", integer(verify.freeSpacePercent)),
      ("severity", .object(CheckName.allCases.map { ($0.rawValue, .string(verify.severity(of: $0).rawValue)) })),
    ])
  }

  private func list(_ texts: [String]) -> JSONText { .array(texts.map(JSONText.string)) }

  private func integer(_ number: Int) -> JSONText { .integer(Int64(number)) }
}
