import Testing

@testable import MailAccounts

@Suite struct AccountCSVTests {
  private func parsed(_ bytes: [UInt8]) throws(AccountError) -> [AccountCSV.UserRow] {
    var rows: [AccountCSV.UserRow] = []
    try AccountCSV.read(ImportSource(bytes)) { (row, line) throws(AccountError) in
      guard case .user(let row) = row else { throw .invalid("no user") }
      #expect(row.line == line)
      rows.append(row)
    }
    return rows
  }

  private func rows(_ text: String) throws(AccountError) -> [AccountCSV.UserRow] { try parsed(Array(text.utf8)) }

  private func aliases(_ text: String) throws -> [String] {
    var found: [String] = []
    try AccountCSV.read(ImportSource(Array(text.utf8))) { (row, _) throws(AccountError) in
      guard case .alias(let source, let destination) = row else { throw .invalid("no alias") }
      found.append("\(source) -> \(destination)")
    }
    return found
  }

  private func failure(_ bytes: [UInt8]) -> AccountError? {
    error { () throws(AccountError) in _ = try parsed(bytes) }
  }

  @Test func readsColumnsInAnyOrder() throws {
    let rows = try rows("active,password_hash,email,quota\n1,{PLAIN}x,a@example.org,10G\nno,{PLAIN}y,b@example.org,\n")
    #expect(
      rows == [
        .init(line: 2, email: "a@example.org", passwordHash: "{PLAIN}x", password: nil, active: true, quota: "10G"),
        .init(line: 3, email: "b@example.org", passwordHash: "{PLAIN}y", password: nil, active: false, quota: nil),
      ])
  }

  @Test func keepsAPasswordAsItsOctets() throws {
    let rows = try rows("email,password\na@example.org,\" p\"\"ä,\"\r\n")
    #expect(rows.map(\.password) == [Array(" p\"ä,".utf8)])
    #expect(rows[0].passwordHash == nil && rows[0].active == nil && rows[0].quota == nil)
    #expect(try parsed(Array("email,password\na@example.org,".utf8) + [0xFF])[0].password == [0xFF])
  }

  @Test func takesAHashOrAPasswordInEachRow() throws {
    let rows = try rows("email,password,password_hash\na@example.org,x,\nb@example.org,,{PLAIN}y\n")
    #expect(rows.map(\.password) == [[0x78], nil])
    #expect(rows.map(\.passwordHash) == [nil, "{PLAIN}y"])
  }

  @Test(arguments: ["\n", "\r\n"])
  func takesBothLineEndsAndCountsLines(end: String) throws {
    let text = ["Email , PASSWORD", "a@example.org,\"x\(end)y\"", "", "b@example.org,z"].joined(separator: end)
    for file in [text, text + end, text + end + end] {
      let rows = try rows(file)
      #expect(rows.map(\.email) == ["a@example.org", "b@example.org"])
      #expect(rows.map(\.line) == [2, 5])
      #expect(rows[0].password == Array("x\(end)y".utf8))
    }
  }

  @Test func dropsAByteOrderMark() throws {
    #expect(try rows("\u{FEFF}email,password\na@example.org,x").count == 1)
    #expect(try rows("\u{FEFF}\"email\",password\na@example.org,x").count == 1)
  }

  @Test func takesTheSemicolonIfTheHeaderHasIt() throws {
    let rows = try rows("email;password;quota\na@example.org;x,y;1\n")
    #expect(rows[0].password == Array("x,y".utf8))
    #expect(rows[0].quota == "1")
  }

  @Test(arguments: [
    "sep=;\nemail;password\na@example.org;x,y\n", "email\tpassword\na@example.org\tx,y",
    "sep=|\r\nemail|password\r\na@example.org|x,y\r\n",
  ])
  func takesOtherSeparators(text: String) throws {
    #expect(try rows(text).map(\.password) == [Array("x,y".utf8)])
  }

  @Test func blanksBesideASeparatorMeanNothing() throws {
    let rows = try rows("email, password_hash, active, quota\n a@example.org , {PLAIN}x, yes , 1G \nb@example.org,,,\n")
    #expect(rows[0] == .init(line: 2, email: "a@example.org", passwordHash: "{PLAIN}x", active: true, quota: "1G"))
    #expect(rows[1] == .init(line: 3, email: "b@example.org"))
  }

  @Test func aQuotaAloneIsEnough() throws {
    #expect(try rows("email,quota\na@example.org,2G\n") == [.init(line: 2, email: "a@example.org", quota: "2G")])
  }

  @Test func aliasesAreAListOfTheirOwn() throws {
    #expect(
      try aliases("src;dst\ninfo@example.org;\"a@example.org, b@example.org\"\n@example.org; a@example.org\n") == [
        "info@example.org -> a@example.org, b@example.org", "@example.org -> a@example.org",
      ])
  }

  @Test func aFileMayComeInPieces() throws {
    var text = "email,password\n"
    for number in 0..<60_000 { text += "u\(number)@example.org,\"line one\nline \"\"two\"\"\"\n" }
    var rest = Array(text.utf8)[...]
    let source = ImportSource { () throws(AccountError) in
      defer { rest = rest.dropFirst(65_521) }
      return Array(rest.prefix(65_521))
    }
    var count = 0
    try AccountCSV.read(source) { (row, line) throws(AccountError) in
      guard case .user(let user) = row else { return }
      #expect(line == 2 + count * 2 && user.password == Array("line one\nline \"two\"".utf8))
      count += 1
    }
    #expect(count == 60_000)
  }

  @Test func aHeaderAloneIsNoRow() throws {
    #expect(try rows("email,password").isEmpty)
  }

  @Test(arguments: ["1", "yes", "TRUE", " True "])
  func knowsWhatIsActive(text: String) throws {
    #expect(try rows("email,password,active\na@example.org,x,\(text)")[0].active == true)
  }

  @Test(arguments: [
    ("", 1, "there is no header line"),
    ("\n\n", 1, "there is no header line"),
    (
      "e\u{1B},password\n", 1,
      "\"e\\u{1B}\" is no column; known are email, password_hash, password, active, quota, src, dst"
    ),
    ("email,email,password\n", 1, "the column email is there twice"),
    ("password\n", 1, "there is no column email"),
    ("email,src,dst\n", 1, "a list of aliases has the columns src and dst, and no other"),
    ("src,dst\na@example.org,\n", 2, "dst is empty"),
    ("email,password\n\na@example.org\n", 3, "there are 1 fields, but 2 columns"),
    ("email,password\na@example.org,x,y\n", 2, "there are 3 fields, but 2 columns"),
    ("email,password\na@example.org,x\n,y\n", 3, "email is empty"),
    (
      "email,password\na@example.org, x\n", 2,
      "the password has a blank at its end or beginning; if that is meant, put it into double quotes"
    ),
    (
      "email,password_hash,quota\na@example.org,$argon2id$v=19$m=7168,t=5,p=1$c2FsdA$aGFzaA,1G\n", 2,
      "there are 5 fields, but 3 columns; a hash with commas in it must stand in double quotes"
    ),
    (
      "email,password\na@example.org;x\n", 2,
      "there are 1 fields, but 2 columns; the header is not separated by \";\", as this line seems to be"
    ),
    ("email,password,password_hash\na@example.org,x,y\n", 2, "there are both password_hash and password"),
    ("email,password,active\na@example.org,x,maybe\n", 2, "active is \"maybe\", none of 1, 0, yes, no, true, false"),
    ("email,password\na@example.org,\"x\ny\n", 2, "a field that begins with a double quote does not end with one"),
    ("email,password\na@example.org,\"x\"y\n", 2, "there is something behind a closing double quote"),
    ("email,password\na@example.org,x\"y\n", 2, "there is a double quote inside a field that does not begin with one"),
    ("email,password\na@example.org,x\ry\n", 2, "there is a carriage return without a line feed"),
  ])
  func isRefusedWithLineAndReason(text: String, line: Int, reason: String) {
    #expect(failure(Array(text.utf8)) == .invalid(CSVError(line: line, reason: reason).description))
  }

  @Test func textThatIsNotUTF8IsRefused() {
    let found = failure(Array("email,password\n".utf8) + [0xFF, UInt8(ascii: ",")] + Array("x".utf8))
    #expect(found == .invalid("line 2: there is text that is not UTF-8"))
  }

  @Test func reads100000Rows() throws {
    var text = "email,password_hash,active,quota\r\n"
    for number in 0..<100_000 { text += "user\(number)@example.org,\"{PLAIN}x\(number)\",1,10G\r\n" }
    let rows = try rows(text)
    #expect(rows.count == 100_000)
    #expect(rows.last?.line == 100_001)
    #expect(rows.last?.passwordHash == "{PLAIN}x99999")
  }
}
