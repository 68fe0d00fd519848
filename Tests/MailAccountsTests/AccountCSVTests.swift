import Testing

@testable import MailAccounts

@Suite struct UserCSVTests {
  private func rows(_ text: String) throws -> [UserCSV.Row] { try UserCSV(Array(text.utf8)).rows }

  private func failure(_ bytes: [UInt8]) -> CSVError? {
    error { () throws(CSVError) in _ = try UserCSV(bytes) }
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
    let rows = try UserCSV(Array("email,password\na@example.org,\" p\"\"ä,\"\r\n".utf8)).rows
    #expect(rows.map(\.password) == [Array(" p\"ä,".utf8)])
    #expect(rows[0].passwordHash == nil && rows[0].active == nil && rows[0].quota == nil)
    #expect(try UserCSV(Array("email,password\na@example.org,".utf8) + [0xFF]).rows[0].password == [0xFF])
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
    ("e\u{1B},password\n", 1, "\"e\\u{1B}\" is no column; known are email, password_hash, password, active, quota"),
    ("email,email,password\n", 1, "the column email is there twice"),
    ("password\n", 1, "there is no column email"),
    ("email\n", 1, "there is no column password_hash and no column password"),
    ("email,password\n\na@example.org\n", 3, "there are 1 fields, but 2 columns"),
    ("email,password\na@example.org,x,y\n", 2, "there are 3 fields, but 2 columns"),
    ("email,password\na@example.org,x\n,y\n", 3, "email is empty"),
    ("email,password\na@example.org,\n", 2, "there is no password"),
    ("email,password,password_hash\na@example.org,x,y\n", 2, "there are both password_hash and password"),
    ("email,password,active\na@example.org,x,maybe\n", 2, "active is \"maybe\", none of 1, 0, yes, no, true, false"),
    ("email,password\na@example.org,\"x\ny\n", 2, "a field that begins with a double quote does not end with one"),
    ("email,password\na@example.org,\"x\"y\n", 2, "there is something behind a closing double quote"),
    ("email,password\na@example.org,x\"y\n", 2, "there is a double quote inside a field that does not begin with one"),
    ("email,password\na@example.org,x\ry\n", 2, "there is a carriage return without a line feed"),
  ])
  func isRefusedWithLineAndReason(text: String, line: Int, reason: String) {
    #expect(failure(Array(text.utf8)) == CSVError(line: line, reason: reason))
  }

  @Test func textThatIsNotUTF8IsRefused() {
    let found = failure(Array("email,password\n".utf8) + [0xFF, UInt8(ascii: ",")] + Array("x".utf8))
    #expect(found == CSVError(line: 2, reason: "there is text that is not UTF-8"))
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
