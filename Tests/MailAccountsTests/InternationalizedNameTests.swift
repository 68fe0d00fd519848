import Testing

@testable import MailAccounts

@Suite struct InternationalizedNameTests {
  @Test(arguments: [
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    // Decomposed: u and U+0308.
    ("bu\u{308}cher.example", "xn--bcher-kva.example"),
    // IDNA2003 made "strasse" of it, another domain.
    ("straße.de", "xn--strae-oqa.de"),
    // Turkish has both i; this one is the letter without a dot.
    ("ısparta.example", "xn--sparta-o9a.example"),
    ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
    ("ΠΑΡΆΔΕΙΓΜΑ.example", "xn--hxajbheg2az3al.example"),
    ("例え.jp", "xn--r8jz45g.jp"),
    ("مثال.example", "xn--mgbh0fb.example"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("XN--BCHER-KVA.Example", "xn--bcher-kva.example"),
    ("bücher.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
  ])
  func becomesItsALabels(input: String, text: String) throws {
    #expect(try DomainName(input).text == text)
  }

  @Test(arguments: [
    // Full-width letters and dots that UTS 46 maps to plain ones.
    ("ｅxample.com", "U+FF45"),
    ("example．com", "U+FF0E"),
    ("example。com", "U+3002"),
    ("１２７.0.0.example", "U+FF11"),
    ("ﬁle.example", "U+FB01"),
    ("exªmple.com", "U+00AA"),
    ("e\u{212A}ample.com", "U+212A"),
    // Dropped without a word by UTS 46, or invisible.
    ("ex\u{AD}ample.com", "U+00AD"),
    ("exam\u{200B}ple.com", "U+200B"),
    ("exam\u{200C}ple.com", "U+200C"),
    ("exam\u{200D}ple.com", "U+200D"),
    ("exam\u{202E}ple.com", "U+202E"),
    ("\u{2066}example\u{2069}.com", "U+2066"),
    ("\u{FEFF}example.com", "U+FEFF"),
    ("exam\u{FE0F}ple.com", "U+FE0F"),
    ("example\u{2028}.com", "U+2028"),
    ("exam\u{A0}ple.com", "U+00A0"),
    ("exam\u{85}ple.com", "U+0085"),
    ("exam\u{E000}ple.com", "U+E000"),
    // A capital i with a dot becomes two characters.
    ("İstanbul.example", "U+0130"),
    // The capital sharp s would become ss.
    ("STRAẞE.de", "U+1E9E"),
  ])
  func isNotMappedSilently(input: String, culprit: String) {
    #expect(domainRefusal(input)?.contains(culprit) == true, "\(domainRefusal(input) ?? "accepted")")
  }

  @Test(arguments: [
    ("аpple.com", "it mixes Cyrillic and Latin letters"),
    ("gοοgle.com", "it mixes Greek and Latin letters"),
    ("i❤.example", "it is no name by IDNA2008"),
    ("😀.example", "it is no name by IDNA2008"),
    ("\u{301}a.example", "it is no name by IDNA2008"),
    // Left-to-right letters in a right-to-left label.
    ("aمثال.example", "it is no name by IDNA2008"),
    ("bü--cher.example", "it is no name by IDNA2008"),
    ("-bücher.example", "it is no name by IDNA2008"),
    ("bü cher.example", "it contains white space (U+0020)"),
    ("bü'cher.example", "it contains \"'\" (U+0027)"),
    ("bücher\0.example", "it contains a NUL"),
    ("bücher..example", "it has two dots in a row"),
    ("bücher", "it has no dot"),
    ("bücher.١٢٣", "it is no name by IDNA2008"),
  ])
  func isRefused(input: String, reason: String) {
    #expect(domainRefusal(input)?.hasPrefix(reason) == true, "\(domainRefusal(input) ?? "accepted")")
  }

  @Test(arguments: [
    // Of nothing, of ASCII, no Punycode.
    "xn--.example", "xn--example-.com", "xn--a.example", "xn--bcher-kva8.example",
    // Of a capital Ü, a full-width e, the Kelvin sign, a soft hyphen, of emoji.
    "xn--bcher-2pa.example", "xn--xample-hy68a.example", "xn--bcher-s74b.example", "xn--example-mka.example",
    "xn--e28h.example", "xn--i-7iq.ws",
  ])
  func refusesAnALabelThatStandsForNoName(input: String) {
    #expect(domainRefusal(input) != nil)
  }

  /// Whoever types it sees what it is.
  @Test func acceptsTheALabelOfAMixedName() throws {
    #expect(try DomainName("xn--pple-43d.com").text == "xn--pple-43d.com")
  }

  @Test func countsTheOctetsOfTheALabel() {
    #expect(domainRefusal(String(repeating: "ü", count: 70) + ".example") != nil)
    #expect(domainRefusal(Array(repeating: "bücher", count: 30).joined(separator: ".") + ".example") != nil)
  }
}
