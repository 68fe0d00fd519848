import JSON
import Text

/// What the last `mailhost test` found. It is kept over a boot, as what it looks at is.
public struct HostTestRecord: Equatable, Sendable {
  public enum Result: String, Codable, Sendable {
    case pass, fail
    /// It could not be tried; never counted as passed.
    case skip
  }

  public struct Test: Equatable, Codable, Sendable {
    /// `open-relay`.
    public var name: String
    public var result: Result
    public var detail: String
    public var hint: String?

    public init(name: String, result: Result, detail: String, hint: String?) {
      self.name = name
      self.result = result
      self.detail = detail
      self.hint = hint
    }
  }

  /// When it ended, whole seconds since 1970.
  public var at: Double
  /// How long it took.
  public var seconds: Double
  public var tests: [Test]

  public init(at: Double, seconds: Double, tests: [Test]) {
    self.at = at
    self.seconds = seconds
    self.tests = tests
  }

  /// Where it is, readable by all.
  public static let path = "/var/lib/mailhost/test.json"

  public var failed: [Test] { tests.filter { $0.result == .fail } }

  /// How many of them came to this.
  public func count(_ result: Result) -> Int { tests.count { $0.result == result } }

  /// Version 1 of the contract.
  public func json() -> JSONText {
    .object([
      ("schema", .integer(1)),
      ("at", .string(timestamp(at))),
      ("seconds", .seconds(seconds)),
      (
        "tests",
        .array(
          tests.map { test in
            .object([
              ("name", .string(test.name)), ("result", .string(test.result.rawValue)), ("detail", .string(test.detail)),
              ("hint", .optional(test.hint)),
            ])
          })
      ),
    ])
  }

  /// Nil when this is no record of ours; single entries that are not understood are left out.
  public init?(json: JSONText) {
    guard let at = json["at"]?.text.flatMap(secondsSince1970(timestamp:)), let tests = json["tests"]?.items else {
      return nil
    }
    self.init(
      at: at, seconds: json["seconds"]?.number ?? 0, tests: tests.compactMap { $0.value(Test.self) })
  }
}
