import MachineKit
import SceneSupport
import Testing

/// What the installed program says about a configuration that it cannot use.
struct ConfigurationErrorTests {
  struct Mistake: Sendable {
    let toml: String
    /// `line:column: key message`.
    let error: String
    let hint: String?
  }

  static let mistakes = [
    Mistake(toml: "[vault]\ndevice = 5\n", error: "2:1: vault.device is an integer", hint: "a path such as"),
    Mistake(
      toml: "[vault]\ndevise = \"/dev/vdb\"\n",
      error: "2:1: vault.devise is not a known key; did you mean \"device\"?", hint: nil),
    Mistake(
      toml: "[vault]\nmount = \"vault\"\n", error: "2:1: vault.mount \"vault\" is not valid", hint: "absolute path"),
    Mistake(toml: "[[bind]]\nto = \"/srv\"\n", error: "1:1: bind[1].from is missing", hint: "inside the vault"),
    Mistake(
      toml: "[verify.severity]\ndkim = \"maybe\"\n", error: "2:1: verify.severity.dkim \"maybe\" is not valid",
      hint: "one of \"off\", \"warn\", \"require\""),
    Mistake(
      toml: "[unlock]\nattempts = 0\n", error: "2:1: unlock.attempts 0 is out of range", hint: "an integer from 1"),
    Mistake(
      toml: "[[service]]\nname = \"a\"\nprobe = \"gopher://x\"\n", error: "3:1: service[1].probe \"gopher://x\": ",
      hint: "smtp://127.0.0.1:25"),
    Mistake(
      toml: "[[service]]\nname = \"a\"\nafter = [\"b\"]\n", error: "1:1: service[1].after \"b\" is not a service here",
      hint: "names from a"),
    Mistake(toml: "[vault\n", error: "1:7: ", hint: nil),
    Mistake(toml: "[vault]\nmapping =\n", error: "2:10: ", hint: nil),
  ]

  @Test func eachKindIsNamedWithItsPlaceAndTouchesNothing() async throws {
    try await MailHosts.with(.debian12) { host in
      let file = "/etc/mailboot/mailboot.toml"
      for mistake in Self.mistakes {
        let attempt = try await host.attempt(
          "mailboot config check", configuration: mistake.toml, stdin: GuestCredentials.vaultPassphrase)
        attempt.expectFailure(78, error: "error: \(file):\(mistake.error)", hint: mistake.hint)
      }
      let unlock = try await host.unlock()
      unlock.expectFailure(78, error: "\(file):2:10: ", hint: nil)
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 78)
    }
  }

  @Test func everyMistakeOfAllFilesIsShownAtOnce() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        mkdir -p /etc/mailboot/mailboot.toml.d
        printf '[vault]\\nmapping = true\\n' >/etc/mailboot/mailboot.toml
        printf '[unlock]\\nattempts = "x"\\n' >/etc/mailboot/mailboot.toml.d/20-first.toml
        """)
      let both = try await host.attempt("mailboot config check")
      #expect(both.status == 78)
      let file = "error: /etc/mailboot/mailboot.toml"
      #expect(both.stderr.contains("\(file):2:1: vault.mapping is a boolean"), "\(both.stderr)")
      #expect(both.stderr.contains("\(file).d/20-first.toml:2:1: unlock.attempts is a string"), "\(both.stderr)")
      try await host.guest.succeed("printf '\\377' >/etc/mailboot/mailboot.toml.d/30-bytes.toml")
      let bytes = try await host.unlock()
      bytes.expectFailure(78, error: "/etc/mailboot/mailboot.toml.d/30-bytes.toml: is not UTF-8", hint: nil)
      let named = try await host.unlock("--config /root/none.toml")
      named.expectFailure(78, error: "/root/none.toml: cannot be read: No such file or directory", hint: nil)
    }
  }
}
