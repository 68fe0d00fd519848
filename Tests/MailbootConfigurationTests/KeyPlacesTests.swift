import MailbootCore
import Testing

@testable import MailbootConfiguration

/// Where each key stands, whatever the ways of TOML to write it.
struct KeyPlacesTests {
  private func place(_ toml: String, _ path: String...) -> String {
    let place = KeyPlaces(scanning: toml).place(of: path)
    return "\(place.line):\(place.column)"
  }

  @Test func keysOfTablesAndTablesThemselves() {
    let toml = "top = 1\n\n  [vault]\n  mount = \"/x\"\n\tmapping=\"y\"\n[verify.severity]\ndkim = \"off\"\n"
    #expect(place(toml, "top") == "1:1")
    #expect(place(toml, "vault") == "3:3")
    #expect(place(toml, "vault", "mount") == "4:3")
    #expect(place(toml, "vault", "mapping") == "5:2")
    #expect(place(toml, "verify", "severity") == "6:1")
    #expect(place(toml, "verify", "severity", "dkim") == "7:1")
  }

  @Test func dottedAndQuotedKeys() {
    let toml = """
      vault.device = "/dev/x"
      vault . mount = "/y"
      "vault"."map.ping" = "z"
      ['verify' . "severity"]
      'dkim' = "off" # [x] = 3
      "a # b = c" = 1
      """
    #expect(place(toml, "vault") == "1:1")
    #expect(place(toml, "vault", "device") == "1:1")
    #expect(place(toml, "vault", "mount") == "2:1")
    #expect(place(toml, "vault", "map.ping") == "3:1")
    #expect(place(toml, "verify", "severity", "dkim") == "5:1")
    #expect(place(toml, "verify", "severity", "a # b = c") == "6:1")
  }

  @Test func arraysOfTablesAndTablesWithinThem() {
    let toml = """
      [[service]]
      name = "a"
      [service.limits]
      cpu = 1
      [[service]] # second
      name = "b"
      [service.limits]
      cpu = 2
      [unlock]
      attempts = 1
      """
    #expect(place(toml, "service") == "1:1")
    #expect(place(toml, "service", "0", "name") == "2:1")
    #expect(place(toml, "service", "0", "limits", "cpu") == "4:1")
    #expect(place(toml, "service", "1") == "5:1")
    #expect(place(toml, "service", "1", "name") == "6:1")
    #expect(place(toml, "service", "1", "limits", "cpu") == "8:1")
    #expect(place(toml, "unlock", "attempts") == "10:1")
  }

  @Test func arraysOverSeveralLines() {
    let toml = """
      [vault]
      options = [ # a ] in a comment
        "no]suid", 'x[', # "
        [ "mount = 1" ],
      ]
      mount = "/x"
      """
    #expect(place(toml, "vault", "options") == "2:1")
    #expect(place(toml, "vault", "options", "2") == "2:1")
    #expect(place(toml, "vault", "mount") == "6:1")
  }

  @Test(arguments: ["\"\"\"", "'''"])
  func stringsOverSeveralLines(_ quotes: String) {
    let toml =
      "a = \(quotes)\n[vault]\nmount = 1\n# \" ' [ {\n\(quotes) # end\nb = \(quotes)x\(quotes)\n[vault]\nmount = 2\n"
    #expect(place(toml, "a") == "1:1")
    #expect(place(toml, "b") == "6:1")
    #expect(place(toml, "vault", "mount") == "8:1")
  }

  @Test func escapedQuotesEndNothing() {
    let toml = #"""
      a = "x \" [ y"
      b = 'x \'
      c = """one \""" two
      mount = 1
      """
      d = [ "]\"", "\\" ]
      e = 1
      """#
    for (key, line) in [("a", 1), ("b", 2), ("c", 3), ("d", 6), ("e", 7)] { #expect(place(toml, key) == "\(line):1") }
  }

  @Test func whatStandsInAnInlineTableHasThePlaceOfItsKey() {
    let toml = "x = 1\nvault = { mount = \"/x\", options = [\"a\"] }\nservice = [{name = \"a\"}, {name = \"b\"}]\nb = 1"
    #expect(place(toml, "vault", "mount") == "2:1")
    #expect(place(toml, "service", "1", "name") == "3:1")
    #expect(place(toml, "b") == "4:1")
  }

  @Test func lineEndsOfOtherSystemsAndAByteOrderMarkChangeNothing() {
    let toml = "# c\n[vault]\n  mount = 3\noptions = [\n 1 ]\n[[service]]\nname = 4\n"
    let expected = issues(toml).map(\.line)
    #expect(expected.map { String($0.prefix { $0 != " " }) } == ["3:3", "4:1", "7:1"])
    let carriage = toml.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    #expect(issues(carriage).map(\.line) == expected)
    #expect(issues("\u{feff}" + carriage).map(\.line) == expected)
    #expect(issues("\u{feff}[vault]\nmount = 3").map { $0.origin.line } == [2])
    #expect(issues("\u{feff}mount = 3").map(\.key) == ["mount"])
  }

  @Test func ofAKeyThatIsNotThereTheNearestTableIsNamed() {
    #expect(place("[vault]\na = 1\n[vault.b]", "vault", "b", "c", "d") == "3:1")
    #expect(place("a = 1", "x", "y") == "1:1")
  }

  @Test func valuesKeepTheirType() throws {
    let toml = "s = \"x\"\ni = 0x10\nd = 1.5\nb = true\nt = 2026-11-22\na = [1, \"x\"]\nm = \"\"\"\nl\"\"\"\ninf = inf"
    guard case .table(let members) = try TOMLSource.tree(of: toml, file: "f").value else {
      Issue.record("no table")
      return
    }
    #expect(members["s"]?.value == .string("x"))
    #expect(members["i"]?.value == .integer(16))
    #expect(members["d"]?.value == .double(1.5))
    #expect(members["b"]?.value == .boolean(true))
    #expect(members["t"]?.value == .temporal)
    #expect(members["m"]?.value == .string("l"))
    #expect(members["inf"]?.value == .double(.infinity))
    #expect(members["a"]?.origin == Origin(file: "f", line: 6, column: 1))
  }
}
