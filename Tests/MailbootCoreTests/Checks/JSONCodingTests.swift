import JSON
import Testing

@testable import MailbootCore

/// The bridge between Codable and `JSONText`, over the messages that need it.
@Suite struct JSONCodingTests {
  private struct Everything: Codable, Equatable {
    var text = "a \"quoted\"\nline, ü"
    var flag = true
    var number = -42
    var small: UInt8 = 255
    var seconds = 1.5
    var whole = 3.0
    var missing: Int?
    var present: String? = "here"
    var list = ["a", "b"]
    var nested = [[1], []]
    var byName = ["key": "value"]
  }

  private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    let line = try JSONText(encoding: value).line()
    #expect(!line.contains("\n"))
    return try #require(JSONText(parsing: Array(line.utf8))).decoded(as: Value.self)
  }

  @Test func everyKindOfValueComesBack() throws {
    #expect(try roundTrip(Everything()) == Everything())
  }

  @Test func enumsWithPayloadComeBack() throws {
    let replies: [OpenReply] = [.opened(keyslot: 3), .alreadyOpen, .failed(VaultFailure(.notLUKS, "why"))]
    #expect(try replies.map { try roundTrip($0) } == replies)
  }

  @Test(arguments: [
    #"{"device":1,"header":null}"#, #"{"header":null}"#, #"[]"#, #"{"device":null,"header":"x"}"#,
  ])
  func aRequestOfAnotherShapeIsRefused(_ line: String) throws {
    let json = try #require(JSONText(parsing: Array(line.utf8)))
    #expect(throws: DecodingError.self) { try json.decoded(as: InspectRequest.self) }
  }

  @Test func aNumberThatDoesNotFitIsRefused() throws {
    let json = try #require(JSONText(parsing: Array("[256]".utf8)))
    #expect(throws: DecodingError.self) { try json.decoded(as: [UInt8].self) }
  }
}
