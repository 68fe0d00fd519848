extension Configuration.Accounts {
  mutating func read(_ table: inout TableReader) {
    let names = "one of " + Self.schemes.map { "\"\($0)\"" }.joined(separator: ", ")
    scheme = table.string("scheme", expected: names, where: Self.schemes.contains) ?? scheme
    spool = table.path("spool", example: "/vault/vmail") ?? spool
    sieve = table.path("sieve", example: "/vault/sieve") ?? sieve
    owner =
      table.string("owner", expected: "a user name such as \"vmail\"") { text in
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
      } ?? owner
  }
}
