import Testing

@testable import MailAccounts

/// Why `input` is refused; nil if it is not.
func domainRefusal(_ input: String) -> String? {
  error { () throws(NameError) in _ = try DomainName(input) }?.reason
}

@Suite struct DomainNameTests {
  @Test(arguments: [
    ("example.org", "example.org"),
    ("EXAMPLE.Org", "example.org"),
    ("  example.org\n", "example.org"),
    ("\texample.org\r\n", "example.org"),
    ("a.b.c.d.example.co.uk", "a.b.c.d.example.co.uk"),
    ("3com.com", "3com.com"),
    ("x--y.example", "x--y.example"),
    ("1.2.3.4.example", "1.2.3.4.example"),
  ])
  func isPutInLowerCaseWithoutTheSpaceAroundIt(input: String, text: String) throws {
    #expect(try DomainName(input).text == text)
  }

  @Test(arguments: [
    ("", "it is empty"),
    (" \t\n", "it is empty"),
    (".", "it begins with a dot"),
    (".example.org", "it begins with a dot"),
    ("example.org.", "it ends with a dot"),
    ("example..org", "it has two dots in a row"),
    ("-example.org", "it has a label that begins or ends with a hyphen"),
    ("example-.org", "it has a label that begins or ends with a hyphen"),
    ("localhost", "it has no dot: a mail domain looks like example.org"),
    ("127.0.0.1", "it is a number or an IPv4 address"),
    ("2130706433", "it is a number or an IPv4 address"),
    ("example.0x7f", "it has a top-level label that begins with a digit"),
    ("example.123", "it has a top-level label that begins with a digit"),
    ("[127.0.0.1]", "it is an address literal, not a name"),
    ("[IPv6:::1]", "it is an address literal, not a name"),
    ("exa mple.org", "it contains white space (U+0020)"),
    ("example.org\nx", "it contains white space (U+000A)"),
    ("example\r\n.org", "it contains white space (U+000D)"),
    ("example.org\0", "it contains a NUL"),
    ("exa\u{1B}[31mmple.org", "it contains a control character (U+001B)"),
    ("exa\u{7F}mple.org", "it contains a control character (U+007F)"),
    ("o'example.org", "it contains \"'\" (U+0027): only letters, digits, hyphens and dots are allowed"),
    ("exa\"mple.org", "it contains \"\\\"\" (U+0022): only letters, digits, hyphens and dots are allowed"),
    ("exa_mple.org", "it contains \"_\" (U+005F): only letters, digits, hyphens and dots are allowed"),
    ("x@example.org", "it contains \"@\" (U+0040): only letters, digits, hyphens and dots are allowed"),
    ("*.example.org", "it contains \"*\" (U+002A): only letters, digits, hyphens and dots are allowed"),
    ("../example.org", "it begins with a dot"),
    ("x/../example.org", "it has two dots in a row"),
    ("x/y.example.org", "it contains \"/\" (U+002F): only letters, digits, hyphens and dots are allowed"),
    ("example.org,example.net", "it contains \",\" (U+002C): only letters, digits, hyphens and dots are allowed"),
  ])
  func isRefusedWithTheReason(input: String, reason: String) {
    #expect(domainRefusal(input) == reason)
  }

  @Test func hasLabelsOfAtMost63Octets() throws {
    let longest = String(repeating: "a", count: 63)
    #expect(try DomainName("\(longest).org").text.utf8.count == 67)
    #expect(domainRefusal("\(longest)a.org") == "it has a label longer than 63 octets")
  }

  @Test func hasAtMost253Octets() throws {
    let longest = String(repeating: "abcdefg.", count: 31) + "abcde"
    #expect(try DomainName(longest).text.utf8.count == 253)
    #expect(domainRefusal(longest + "f") == "it is longer than 253 octets")
    #expect(domainRefusal(String(repeating: "a.", count: 150) + "org") == "it is longer than 253 octets")
    #expect(domainRefusal(String(repeating: "a", count: 1_000_000)) == "it is longer than 253 octets")
  }

  @Test func isComparedByItsText() throws {
    #expect(try DomainName("Example.ORG") == DomainName("example.org"))
  }
}
