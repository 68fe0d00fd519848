import Testing

@testable import MailAccounts

func addressRefusal(_ input: String) -> String? {
  error { () throws(NameError) in _ = try EmailAddress(input) }?.reason
}

@Suite struct EmailAddressTests {
  @Test(arguments: [
    ("anna@example.org", "anna@example.org"),
    (" Anna.B@Example.ORG\n", "anna.b@example.org"),
    ("anna+list@example.org", "anna+list@example.org"),
    ("a@bücher.example", "a@xn--bcher-kva.example"),
    ("0#$&*?^{}~=_-x@example.org", "0#$&*?^{}~=_-x@example.org"),
  ])
  func isPutInLowerCaseWithoutTheSpaceAroundIt(input: String, text: String) throws {
    let address = try EmailAddress(input)
    #expect(address.text == text)
    #expect("\(address.local)@\(address.domain.text)" == text)
  }

  @Test(arguments: [
    ("", "it is empty"),
    ("anna", "it has no @"),
    ("example.org", "it has no @"),
    ("anna@b@example.org", "it has more than one @"),
    ("@example.org", "the part before the @ is empty"),
    ("anna@", "the domain is empty"),
    ("anna@localhost", "the domain has no dot: a mail domain looks like example.org"),
    ("anna@[127.0.0.1]", "the domain is an address literal, not a name"),
    ("anna@127.0.0.1", "the domain is a number or an IPv4 address"),
    ("anna@example.org.", "the domain ends with a dot"),
    (".anna@example.org", "the part before the @ begins with a dot"),
    ("anna.@example.org", "the part before the @ ends with a dot"),
    ("an..na@example.org", "the part before the @ has two dots in a row"),
    ("..@example.org", "the part before the @ begins with a dot"),
    ("an na@example.org", "the part before the @ contains white space (U+0020)"),
    ("anna @example.org", "the part before the @ contains white space (U+0020)"),
    ("anna@ example.org", "the domain contains white space (U+0020)"),
    ("an\nna@example.org", "the part before the @ contains white space (U+000A)"),
    ("an\r\nna@example.org", "the part before the @ contains white space (U+000D)"),
    ("anna@example.org\r\nx", "the domain contains white space (U+000D)"),
    ("an\0na@example.org", "the part before the @ contains a NUL"),
    ("anna@example.org\0", "the domain contains a NUL"),
    ("\u{1B}[2J@example.org", "the part before the @ contains a control character (U+001B)"),
    ("Anna <anna@example.org>", "the part before the @ contains white space (U+0020)"),
    ("<anna@example.org>", "the part before the @ contains \"<\" (U+003C)"),
    ("a,b@example.org", "the part before the @ contains \",\" (U+002C)"),
    ("a:b@example.org", "the part before the @ contains \":\" (U+003A)"),
    ("-anna@example.org", "the part before the @ begins with a hyphen, which postfix refuses"),
  ])
  func isRefusedWithTheReason(input: String, reason: String) {
    #expect(addressRefusal(input) == reason)
  }

  @Test(arguments: [
    ("o'brien@example.org", "which does not survive quoting"),
    ("\"anna\"@example.org", "which does not survive quoting"),
    ("a\\b@example.org", "which does not survive quoting"),
    ("a`id`@example.org", "which does not survive quoting"),
    ("x' OR '1'='1@example.org", "which does not survive quoting"),
    ("../x@example.org", "which would lead out of the directory"),
    ("|cat@example.org", "which postfix could take for a command"),
    ("user%other.example@example.org", "which postfix takes for a route"),
    ("other.example!user@example.org", "which postfix takes for a route"),
  ])
  func isRefusedWhereTheMailHostWouldMisreadIt(input: String, reason: String) {
    #expect(addressRefusal(input)?.contains(reason) == true, "\(addressRefusal(input) ?? "accepted")")
  }

  @Test(arguments: [
    ("jürgen@example.org", "\"ü\" (U+00FC)"),
    ("ju\u{308}rgen@example.org", "U+0308"),
    ("аnna@example.org", "\"а\" (U+0430)"),
    ("ınna@example.org", "\"ı\" (U+0131)"),
    ("ｘ@example.org", "\"ｘ\" (U+FF58)"),
    ("an\u{200D}na@example.org", "U+200D"),
    ("\u{202E}anna@example.org", "U+202E"),
    ("😀@example.org", "\"😀\" (U+1F600)"),
    // The Kelvin sign in lower case would be a plain k.
    ("\u{212A}arl@example.org", "\"\u{212A}\" (U+212A)"),
  ])
  func hasOnlyASCIIBeforeTheAt(input: String, character: String) {
    let reason = "the part before the @ contains \(character): only ASCII is accepted"
    #expect(addressRefusal(input)?.hasPrefix(reason) == true, "\(addressRefusal(input) ?? "accepted")")
  }

  @Test func hasAtMost64OctetsBeforeTheAt() throws {
    let longest = String(repeating: "a", count: 64)
    #expect(try EmailAddress("\(longest)@example.org").local == longest)
    #expect(addressRefusal("a\(longest)@example.org") == "the part before the @ is longer than 64 octets")
    #expect(addressRefusal(String(repeating: "a", count: 300) + "@example.org") != nil)
    #expect(addressRefusal("a@" + String(repeating: "a", count: 300) + ".org") != nil)
  }

  @Test func hasAtMost254OctetsInAll() throws {
    let domain = String(repeating: "abcdefg.", count: 30) + "example"
    let local = String(repeating: "a", count: 254 - 1 - domain.utf8.count)
    #expect(try EmailAddress("\(local)@\(domain)").text.utf8.count == 254)
    #expect(addressRefusal("a\(local)@\(domain)") == "it is longer than 254 octets")
  }

  @Test func saysWhenDovecotWouldLetNobodyLogInWithIt() throws {
    #expect(try EmailAddress("anna.b-c_d1@example.org").loginProblem == nil)
    #expect(try EmailAddress("anna+x@example.org").loginProblem?.contains("\"+\" (U+002B)") == true)
  }
}
