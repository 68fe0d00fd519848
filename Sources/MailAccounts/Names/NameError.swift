/// Why an argument is no name or address.
public struct NameError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What it should have been.
  public enum Kind: String, Sendable {
    case domain = "domain"
    case address = "address"
    case aliasSource = "alias source"
    case aliasDestination = "alias destination"
  }

  public var kind: Kind
  /// As given: it may hold control characters, which whoever shows it escapes. `description` has done so.
  public var input: String
  /// A clause without control characters, such as "the part before the @ is empty".
  public var reason: String

  public init(kind: Kind, input: String, reason: String) {
    self.kind = kind
    self.input = input
    self.reason = reason
  }

  public var description: String { "\(quoted(input)) is no \(kind.rawValue): \(reason)" }
}

/// What is wrong with a part of a name, as a predicate: "has no dot".
struct NameProblem: Error {
  var predicate: String

  init(_ predicate: String) { self.predicate = predicate }

  static func contains(_ scalar: Unicode.Scalar, _ remark: String = "") -> NameProblem {
    switch scalar {
    case "\0": NameProblem("contains a NUL")
    case _ where scalar.isASCIISpace: NameProblem("contains white space (\(scalar.codePoint))")
    case _ where scalar.properties.generalCategory == .control:
      NameProblem("contains a control character (\(scalar.codePoint))")
    default: NameProblem("contains \(scalar.named)\(remark)")
    }
  }
}
