import MailbootCore
import Testing

/// What somebody is told whose host has a service missing.
struct FirstStepsTests {
  private static func hint(vault: Bool, mailHost: Bool, standard: Bool = true) -> String {
    FirstSteps(hasVault: vault, hasMailHost: mailHost, hasStandardServices: standard).hint(
      missing: "redis-server.service")
  }

  @Test func whereNothingIsThereYetTheVaultComesFirst() {
    #expect(
      Self.hint(vault: false, mailHost: false)
        == "nothing is set up here yet: make a vault with `mailboot vault create`, write /etc/mailboot/mailhost.toml (see"
        + " mailhost.toml(5)); then `mailhost apply` installs and configures the mail services")
    #expect(
      Self.hint(vault: false, mailHost: true)
        == "nothing is set up here yet: make a vault with `mailboot vault create`; then `mailhost apply` installs and"
        + " configures the mail services")
  }

  @Test func withAVaultTheMailHostIsNext() {
    #expect(
      Self.hint(vault: true, mailHost: true) == "`mailhost apply` installs and configures the mail services")
    #expect(
      Self.hint(vault: true, mailHost: false)
        == "is it installed? `systemctl cat redis-server.service`; or take it out of the configuration. For a new mail host"
        + " write /etc/mailboot/mailhost.toml (see mailhost.toml(5)); then `mailhost apply` installs and configures the mail"
        + " services")
  }

  @Test func whoHasNamedOtherServicesIsNoNewcomer() {
    for (vault, mailHost) in [(true, true), (false, false)] {
      #expect(
        Self.hint(vault: vault, mailHost: mailHost, standard: false)
          == "is it installed? `systemctl cat redis-server.service`; or take it out of the configuration")
    }
  }
}
