import Foundation
import JSON
import Testing

struct JSONTextTests {
  @Test(arguments: [
    ("plain", #""plain""#), ("", #""""#), (#"a"b\c"#, #""a\"b\\c""#), ("a\nb\rc\td", #""a\nb\rc\td""#),
    ("\u{0}\u{1}\u{8}\u{1f}\u{7f}", ##""\u0000\u0001\u0008\u001f\u007f""##), ("\r\n", #""\r\n""#),
    ("Grüße 日本 🙂", "\"Grüße 日本 🙂\""), ("a/b", #""a/b""#), ("e\u{301}", "\"e\u{301}\""),
  ])
  func textIsQuoted(_ text: String, _ quoted: String) {
    // Compared by bytes: Swift takes composed and decomposed letters for the same.
    #expect(Array(JSONText.string(text).rendered().utf8) == Array(quoted.utf8))
  }

  @Test func everyControlCharacterReadsBackAsItself() throws {
    let text = String(String.UnicodeScalarView((0...0x9f).compactMap { Unicode.Scalar($0) })) + "\u{2028}\u{10ffff}"
    let json = JSONText.object([(text, .string(text))]).rendered()
    let back = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
    #expect(back == [text: text])
  }

  @Test func scalarsAreWrittenPlainly() {
    #expect(JSONText.null.rendered() == "null")
    #expect(JSONText.bool(true).rendered() == "true")
    #expect(JSONText.bool(false).rendered() == "false")
    #expect(JSONText.integer(.min).rendered() == "-9223372036854775808")
    #expect(JSONText.seconds(1.25).rendered() == "1.250")
    #expect(JSONText.optional(nil).rendered() == "null")
    #expect(JSONText.optional("x").rendered() == "\"x\"")
  }

  @Test func membersKeepTheirOrderAndAreIndented() {
    let value = JSONText.object([
      ("b", .array([.integer(1), .object([("x", .null)])])), ("a", .object([])), ("c", .array([])),
    ])
    #expect(
      value.rendered() == """
        {
          "b": [
            1,
            {
              "x": null
            }
          ],
          "a": {},
          "c": []
        }
        """)
  }

  @Test func inOneLineItHasNoSpaces() {
    let value = JSONText.object([
      ("b", .array([.integer(1), .object([("x", .null)])])), ("a", .object([])), ("c", .string("line\nend")),
    ])
    #expect(value.line() == "{\"b\":[1,{\"x\":null}],\"a\":{},\"c\":\"line\\nend\"}")
  }

  @Test func equalMeansTheSameText() {
    #expect(JSONText.object([("a", .null)]) == JSONText.object([("a", .null)]))
    #expect(JSONText.object([("a", .null)]) != JSONText.object([("b", .null)]))
  }

  @Test(arguments: ["+1", "01", "-01", "-", "1.", ".5", "--1", "\"a\nb\"", "\"\u{1}\"", "\"\\n\u{1f}\"", "1+2"])
  func whatIsNearlyJSONIsNone(_ text: String) {
    #expect(JSONText(parsing: Array(text.utf8)) == nil)
  }

  @Test(arguments: ["0", "-0", "10", "-7", "0.5", "1e3", "100.25"]) func numbersAreTaken(_ text: String) {
    #expect(JSONText(parsing: Array(text.utf8))?.number == Double(text))
  }
}
