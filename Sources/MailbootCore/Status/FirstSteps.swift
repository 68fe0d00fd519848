/// What a host still lacks that has only just got this package, for whoever asks it for mail and does not know where to begin.
public struct FirstSteps: Equatable, Sendable {
  /// A vault is named, or one is there to be found.
  public var hasVault: Bool
  /// `mailhost` has settings to make the host from.
  public var hasMailHost: Bool
  /// The services are those that `mailhost` makes: nobody has named others.
  public var hasStandardServices: Bool

  public init(hasVault: Bool, hasMailHost: Bool, hasStandardServices: Bool) {
    self.hasVault = hasVault
    self.hasMailHost = hasMailHost
    self.hasStandardServices = hasStandardServices
  }

  /// What to do where a service is not installed.
  public func hint(missing unit: String) -> String {
    let look = "is it installed? `systemctl cat \(unit)`; or take it out of the configuration"
    guard hasStandardServices else { return look }
    let apply = "`mailhost apply` installs and configures the mail services"
    switch (hasVault, hasMailHost) {
    case (true, true): return apply
    case (false, true): return "nothing is set up here yet: make a vault with `mailboot vault create`; then \(apply)"
    case (false, false):
      return "nothing is set up here yet: make a vault with `mailboot vault create`, write \(mailHostSettingsPath)"
        + " (see mailhost.toml(5)); then \(apply)"
    case (true, false):
      return "\(look). For a new mail host write \(mailHostSettingsPath) (see mailhost.toml(5)); then \(apply)"
    }
  }
}
