import MailbootCore
import Testing
import Text

@testable import MailbootConfiguration

/// Each kind of error in a configuration file: where, which key, what is wrong, what was expected.
struct ConfigurationErrorTests {
  private static let devices = "a path such as \"/dev/vdb\", or \"UUID=…\", \"LABEL=…\", \"PARTUUID=…\""
  private static let metricsFile =
    "an absolute path such as \"/var/lib/prometheus/node-exporter/mailboot.prom\""
  private static let url = "a URL such as \"smtp://127.0.0.1:25\""

  @Test(arguments: [
    ("[vault]\nmont = \"/x\"", "2:1 vault.mont is not a known key; did you mean \"mount\"?"),
    ("[vualt]\nmount = \"/x\"", "1:1 vualt is not a known key; did you mean \"vault\"?"),
    (
      "[vault]\nmapping = \"x\"\n  completely-different = 1",
      "3:3 vault.completely-different is not a known key | one of device, filesystem, header, key-file, mapping, mount, name, options, pim, type"
    ),
    (
      "[verify.severity]\ncertificate-expiri = \"off\"",
      "2:1 verify.severity.certificate-expiri is not a known key; did you mean \"certificate-expiry\"?"
    ),
    (
      "[[service]]\nname = \"a\"\n[[service]]\nname = \"b\"\nprobes = \"x\"",
      "5:1 service[2].probes is not a known key; did you mean \"probe\"?"
    ),
    (
      "[[bind]]\nfrom = \"/a\"\nto = \"/b\"\nform = \"/c\"",
      "4:1 bind[1].form is not a known key; did you mean \"from\"?"
    ),
    ("unlock.atempts = 3", "1:1 unlock.atempts is not a known key; did you mean \"attempts\"?"),
  ])
  func anUnknownKeyIsNamedWithASuggestion(_ toml: String, _ line: String) {
    #expect(issues(toml).map(\.line) == [line])
  }

  @Test(arguments: [
    ("1", "an integer"), ("1.5", "a number with a fraction"), ("true", "a boolean"), ("2026-11-22", "a date or time"),
    ("12:00:00", "a date or time"), ("2026-11-22T15:00:00Z", "a date or time"), ("[]", "an array"), ("{}", "a table"),
  ])
  func aWrongTypeInTheStringsPlaceIsNamed(_ value: String, _ type: String) {
    for (table, key, expected) in [
      ("vault", "device", Self.devices), ("vault", "header", "an absolute path such as \"/root/vault.header\""),
      ("verify", "database", "an absolute path such as \"/vault/maildb/maildb.sqlite3\""),
      ("verify", "free-space-warning", "a percentage such as \"15%\""),
      ("verify.severity", "dkim", "one of \"off\", \"warn\", \"require\", \"strict\""),
      ("unlock", "on-failure", "one of \"lock\", \"leave\""),
      ("monitoring", "prometheus-file", Self.metricsFile),
      ("wait", "key-file", "an absolute path such as \"/etc/mailboot/vault.key\""),
    ] {
      #expect(issues("[\(table)]\n\(key) = \(value)").map(\.line) == ["2:1 \(table).\(key) is \(type) | \(expected)"])
    }
  }

  @Test(arguments: [
    ("[unlock]\nattempts = \"3\"", "2:1 unlock.attempts is a string | an integer from 1 to 100"),
    (
      "[unlock]\nservice-timeout = 1.5",
      "2:1 unlock.service-timeout is a number with a fraction | an integer from 1 to 3600"
    ),
    (
      "[vault]\noptions = \"nosuid\"",
      "2:1 vault.options is a string | an array of mount options such as [\"nosuid\"]"
    ),
    (
      "[vault]\noptions = [\"nosuid\", 3]",
      "2:1 vault.options has an element that is an integer | an array of mount options such as [\"nosuid\"]"
    ),
    (
      "[vault]\noptions = [\"\"]",
      "2:1 vault.options has an element that is empty | an array of mount options such as [\"nosuid\"]"
    ),
    ("vault = 3", "1:1 vault is an integer | a table, [vault]"),
    ("vault = [3]", "1:1 vault[1] is an integer | a table, [vault[1]]"),
    ("service = \"postfix\"", "1:1 service is a string | an array of tables, [[service]]"),
    ("[service]\nname = \"postfix\"", "1:1 service is a table | an array of tables, [[service]]"),
    ("bind = [\"/vault/www\"]", "1:1 bind[1] is a string | a table, [bind[1]]"),
    ("[verify]\nseverity = \"off\"", "2:1 verify.severity is a string | a table, [verify.severity]"),
  ])
  func aWrongTypeElsewhereIsNamed(_ toml: String, _ line: String) {
    #expect(issues(toml).map(\.line) == [line])
  }

  @Test(arguments: [
    ("[[bind]]\nto = \"/b\"", ["1:1 bind[1].from is missing | the directory inside the vault"]),
    ("[[bind]]\nfrom = \"/b\"", ["1:1 bind[1].to is missing | the directory to mount it on"]),
    (
      "\n[[bind]]",
      [
        "2:1 bind[1].from is missing | the directory inside the vault",
        "2:1 bind[1].to is missing | the directory to mount it on",
      ]
    ),
    (
      "[[service]]\nname = \"a\"\n\n[[service]]\nafter = [\"a\"]",
      ["4:1 service[2].name is missing | a unit's name such as \"postfix\""]
    ),
  ])
  func aMissingKeyIsNamedAtItsTable(_ toml: String, _ lines: [String]) {
    #expect(issues(toml).map(\.line) == lines)
  }

  @Test(arguments: [
    ("vault", "device", "\"vdb\""), ("vault", "device", "\"UUID=\""), ("vault", "device", "\"/dev/../etc\""),
    ("vault", "device", "\"\""), ("vault", "mapping", "\"a/b\""), ("vault", "mapping", "\"\""),
    ("vault", "mapping", "\"control\""), ("vault", "mapping", "\"..\""), ("vault", "mapping", "\"a b\""),
    ("vault", "mount", "\"/\""), ("vault", "mount", "\"//\""), ("vault", "mount", "\"vault\""),
    ("vault", "filesystem", "\"\""), ("vault", "filesystem", "\"ext4,ro\""), ("vault", "header", "\"header\""),
    ("verify", "database", "\"\""), ("verify", "dkim-selector", "\"\""), ("verify", "dkim-selector", "\"a/b\""),
    ("verify", "dkim-user", "\"\""), ("verify", "host-name", "\"\""), ("verify", "free-space-warning", "\"15\""),
    ("verify", "free-space-warning", "\"100%\""), ("verify", "free-space-warning", "\"-1%\""),
    ("verify.severity", "mount", "\"Require\""), ("unlock", "on-failure", "\"stop\""),
    ("notify", "remind-every", "\"soon\""), ("notify", "remind-every", "\"-5min\""),
    ("notify", "remind-every", "\"5 weeks\""), ("notify", "remind-every", "\"\""), ("notify", "remind-every", "-900"),
    ("notify", "timeout", "\"off\""), ("notify", "directory", "\"notify.d\""),
    ("monitoring", "prometheus-file", "\"mailboot.prom\""), ("monitoring", "prometheus-file", "\"/var/lib/\""),
    ("monitoring", "prometheus-file", "\"/var/../x.prom\""), ("monitoring", "prometheus-file", "\"/\""),
    ("monitoring", "probe-every", "\"often\""), ("wait", "key-file", "\"vault.key\""),
    ("accounts", "scheme", "\"MD5\""), ("accounts", "spool", "\"vmail\""), ("accounts", "owner", "\"a b\""),
  ])
  func aValueThatCannotBeIsNamedWithWhatCan(_ table: String, _ key: String, _ value: String) {
    let found = issues("[\(table)]\n\(key) = \(value)")
    #expect(found.count == 1)
    #expect(found.first?.key == "\(table).\(key)")
    #expect(found.first?.message == "\(value) is not valid")
    #expect(found.first?.expected?.isEmpty == false)
    #expect(found.first?.origin == Origin(file: "mailboot.toml", line: 2, column: 1))
  }

  @Test(arguments: [
    ("attempts", 0, "1 to 100"), ("attempts", 101, "1 to 100"), ("service-timeout", 0, "1 to 3600"),
    ("service-timeout", 3601, "1 to 3600"), ("device-timeout", -1, "0 to 3600"),
  ])
  func aNumberOutOfRangeIsNamedWithTheRange(_ key: String, _ number: Int, _ range: String) {
    #expect(
      issues("[unlock]\n\(key) = \(number)").map(\.line)
        == ["2:1 unlock.\(key) \(number) is out of range | an integer from \(range)"])
  }

  @Test(arguments: [
    ("notify", "remind-every", "\"59s\"", "at least 1min, or \"off\""),
    ("notify", "remind-every", "59", "at least 1min, or \"off\""),
    ("notify", "remind-every", "315360001", "at least 1min, or \"off\""),
    ("notify", "timeout", "0", "at least 1s and at most 1h"),
    ("notify", "timeout", "\"2h\"", "at least 1s and at most 1h"),
    ("monitoring", "probe-every", "\"9s\"", "at least 10s"), ("monitoring", "probe-every", "0", "at least 10s"),
  ])
  func aDurationOutOfRangeIsNamedWithTheRange(_ table: String, _ key: String, _ value: String, _ limits: String) {
    let expected = "a duration such as \"15min\", \"2h\" or \"90s\", \(limits)"
    #expect(
      issues("[\(table)]\n\(key) = \(value)").map(\.line)
        == ["2:1 \(table).\(key) \(value) is out of range | \(expected)"])
  }

  @Test(arguments: [
    ("true", "a boolean"), ("1.5", "a number with a fraction"), ("[]", "an array"), ("12:00:00", "a date or time"),
  ])
  func whatIsNoDurationIsNamed(_ value: String, _ type: String) {
    #expect(
      issues("[notify]\nremind-every = \(value)").map(\.line) == [
        "2:1 notify.remind-every is \(type) | "
          + "a duration such as \"15min\", \"2h\" or \"90s\", at least 1min, or \"off\""
      ])
  }

  @Test(arguments: [
    ("token = \"yes\"", "2:1 wait.token is a string | true or false"),
    ("ask = 1", "2:1 wait.ask is an integer | true or false"),
    ("complete = \"boot\"", "2:1 wait.complete is a string | true or false"),
    ("key-device = \"stick\"\nkey-file = \"a\"", "2:1 wait.key-device \"stick\" is not valid | \(stick)"),
    ("key-device = \"LABEL=key\"", "1:1 wait.key-file is missing | \(inside)"),
    ("key-device = \"LABEL=key\"\nkey-file = \"../a\"", "3:1 wait.key-file \"../a\" is not valid | \(inside)"),
    ("key-device = \"LABEL=key\"\nkey-file = \"/\"", "3:1 wait.key-file \"/\" is not valid | \(inside)"),
    ("key-device = \"LABEL=key\"\nkey-file = \"keys/\"", "3:1 wait.key-file \"keys/\" is not valid | \(inside)"),
    ("tokens = true", "2:1 wait.tokens is not a known key; did you mean \"token\"?"),
  ])
  func whatTheServiceCannotWaitForIsNamed(_ lines: String, _ line: String) {
    #expect(issues("[wait]\n\(lines)").map(\.line) == [line])
  }

  private static let stick = "a path such as \"/dev/sdb1\", or \"UUID=…\", \"LABEL=…\", \"PARTUUID=…\""
  private static let inside = "a path inside the key device's file system, such as \"vault.key\""

  @Test(arguments: [
    ("127.0.0.1:25", "not a URL: expected SCHEME://HOST:PORT, such as smtp://127.0.0.1:25"),
    ("smtp://127.0.0.1:70000", "\"70000\" is not a port (1 to 65535)"),
    ("tcp://localhost", "no port: tcp:// has no default one"),
  ])
  func aBadProbeSaysWhy(_ probe: String, _ why: String) {
    let toml = "[[service]]\nname = \"a\"\nprobe = \"\(probe)\""
    #expect(issues(toml).map(\.line) == ["3:1 service[1].probe \"\(probe)\": \(why) | \(Self.url)"])
  }

  @Test(arguments: ["", ".hidden", "a/b", "a b", "tab\\t", "new\\nline", "ä"])
  func aServiceNameThatIsNoUnitIsRefused(_ name: String) {
    let found = issues("[[service]]\nname = \"\(name)\"")
    #expect(found.map(\.key) == ["service[1].name"])
    #expect(found.first?.expected == "a unit's name such as \"postfix\"")
  }

  @Test(arguments: [
    (
      "[[service]]\nname = \"a\"\nafter = [\"b\"]\n[[service]]\nname = \"b\"\nafter = [\"a\"]",
      "1:1 service[1].after these wait for each other: a, b"
    ),
    ("[[service]]\nname = \"a\"\nafter = [\"a\"]", "1:1 service[1].after these wait for each other: a"),
    (
      "[[service]]\nname = \"a\"\n[[service]]\nname = \"b\"\n[[service]]\nname = \"a\"",
      "5:1 service[3].name \"a\" is there twice"
    ),
    (
      "[[service]]\nname = \"a\"\n[[service]]\nname = \"b\"\nafter = [\"c\"]",
      "3:1 service[2].after \"c\" is not a service here | names from a, b"
    ),
    ("service = []", "1:1 service lists no service | at least one [[service]]"),
    (
      "[[bind]]\nfrom = \"/vault/a\"\nto = \"/x\"\n[[bind]]\nfrom = \"/vault/b\"\nto = \"/x/\"",
      "4:1 bind[2].to \"/x\" is there twice"
    ),
    (
      "[[bind]]\nfrom = \"/vault/a\"\nto = \"/\"",
      "3:1 bind[1].to \"/\" is not valid | an absolute path such as \"/var/www/private\""
    ),
    ("[[bind]]\nfrom = \"/vault/a\"\nto = \"/vault\"", "1:1 bind[1].to \"/vault\" is the vault's own mount point"),
  ])
  func whatNoSingleKeyShowsIsFound(_ toml: String, _ line: String) {
    #expect(issues(toml).map(\.line) == [line])
  }

  @Test func everyErrorIsReportedInTheOrderOfTheLines() {
    let toml = """
      [unlock]
      attempts = "x"
      on-failure = "y"
      [vault]
      mount = 1
      what = 2
      [[service]]
      [[service]]
      name = 3
      """
    #expect(
      issues(toml).map { "\($0.origin.line) \($0.key)" } == [
        "2 unlock.attempts", "3 unlock.on-failure", "5 vault.mount", "6 vault.what", "7 service[1].name",
        "9 service[2].name",
      ])
  }

  @Test(arguments: [
    ("[vault]\nmount = \n", 2), ("[vault\n", 1), ("[vault]\nmount = \"/a\"\nmount = \"/b\"\n", 3),
    ("a = \"\"\"\nnever closed", 2), ("= 3", 1), ("[vault]\nmount = /a", 2), ("\n\n\tkey", 3),
  ])
  func whatIsNoTOMLIsSaidWithItsLine(_ toml: String, _ line: Int) {
    let found = issues(toml)
    #expect(found.count == 1)
    #expect(found.first?.origin.line == line)
    #expect(found.first?.origin.column != 0)
    #expect(found.first?.message.hasPrefix("is not valid TOML: ") == true)
    #expect(found.first?.message.contains("\n") == false)
  }
}
