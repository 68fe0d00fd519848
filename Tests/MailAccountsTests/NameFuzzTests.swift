import Testing

@testable import MailAccounts

/// Random input made of what names are made of, of what is dangerous, and of anything else.
private struct RandomNames {
  private var state: UInt64
  private let pieces: [[UInt8]]

  init(seed: UInt64) {
    state = seed
    let texts = [
      "a", "Z", "0", "-", ".", ".", ".org", "example", "@", "xn--", "xn--bcher-kva", "ü", "ß", "ı", "İ", "а", "я", "ｅ",
      "。",
      "é", "e\u{301}", "\u{301}", "\u{200D}", "\u{202E}", "\u{AD}", "😀", "مثال", "例", "\r\n", " ", "\0", "'", "\"", "%",
      "/", "+",
      "_", "*", "\u{212A}", "\u{FE0F}", "१",
    ]
    pieces = texts.map { Array($0.utf8) } + [[0xFF], [0xC3], [0xE2, 0x80]]
  }

  /// SplitMix64: the same names in every run.
  mutating func number(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((value ^ (value >> 31)) % UInt64(limit))
  }

  mutating func next(suffix: String) -> String {
    var bytes: [UInt8] = []
    for _ in 0..<number(below: 8) {
      bytes += number(below: 12) == 0 ? [UInt8(number(below: 256))] : pieces[number(below: pieces.count)]
    }
    if number(below: 2) == 0 { bytes += Array(suffix.utf8) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite struct NameFuzzTests {
  private let domainBytes = Set("abcdefghijklmnopqrstuvwxyz0123456789-.".utf8)
  private let localBytes = Set("abcdefghijklmnopqrstuvwxyz0123456789-._+=#$&*?^{}~".utf8)

  private func isSound(_ domain: DomainName) -> Bool {
    let labels = domain.text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return (1...253).contains(domain.text.utf8.count) && domain.text.utf8.allSatisfy(domainBytes.contains)
      && labels.count > 1 && labels.allSatisfy { (1...63).contains($0.count) }
  }

  @Test func whateverDomainIsAcceptedIsSoundAndAFixedPoint() throws {
    var names = RandomNames(seed: 1)
    var accepted = 0
    for _ in 0..<20_000 {
      let input = names.next(suffix: ".example")
      guard let domain = try? DomainName(input) else { continue }
      accepted += 1
      #expect(isSound(domain), "\(quoted(input))")
      #expect(try DomainName(domain.text) == domain, "\(quoted(input))")
    }
    // Else nothing would have been tested.
    #expect(accepted > 300)
  }

  @Test func whateverAddressIsAcceptedIsSoundAndAFixedPoint() throws {
    var names = RandomNames(seed: 2)
    var accepted = 0
    for _ in 0..<20_000 {
      let input = names.next(suffix: "@example.org")
      guard let address = try? EmailAddress(input) else { continue }
      accepted += 1
      #expect(isSound(address.domain), "\(quoted(input))")
      #expect(address.local.utf8.allSatisfy(localBytes.contains), "\(quoted(input))")
      #expect((1...64).contains(address.local.utf8.count) && address.text.utf8.count <= 254, "\(quoted(input))")
      #expect(try EmailAddress(address.text) == address, "\(quoted(input))")
    }
    #expect(accepted > 300)
  }
}
