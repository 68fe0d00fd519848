import Text

/// What is to be known or done, in words, with commands to paste: each name in them is one word for the shell, and calls of mailcfg are
/// for the database that it was found in.
public struct Advice: Equatable, Sendable {
  public enum Part: Equatable, Sendable {
    case text(String)
    /// A call of mailcfg.
    case call(Call)
    /// The words of another command.
    case command([String])
  }

  public struct Call: Equatable, Sendable {
    public var verb: String
    public var options: [String]
    /// As they are, not quoted.
    public var names: [String]
  }

  public var parts: [Part]

  /// - Parameters:
  ///   - options: for every call of mailcfg: `--db FILE`.
  ///   - bare: without the backticks around a command that is all there is.
  public func text(options: [String] = [], bare: Bool = false) -> String {
    if bare, parts.count == 1 { return parts[0].text(options) }
    return parts.map { part in
      if case .text(let text) = part { return text }
      return "`\(part.text(options))`"
    }.joined()
  }
}

extension Advice.Part {
  fileprivate func text(_ options: [String]) -> String {
    switch self {
    case .text(let text): return text
    case .command(let words): return words.map(shellWord).joined(separator: " ")
    case .call(let call):
      // After `--` nothing is an option.
      let names = call.names.contains { $0.hasPrefix("-") } ? options + ["--"] + call.names : call.names + options
      return (["mailcfg", call.verb] + call.options + names).map(shellWord).joined(separator: " ")
    }
  }
}

extension Advice: ExpressibleByStringInterpolation {
  public init(_ text: String) { parts = [.text(text)] }

  public init(stringLiteral text: String) { self.init(text) }

  public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  public struct StringInterpolation: StringInterpolationProtocol {
    var parts: [Part] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ text: String) { if !text.isEmpty { parts.append(.text(text)) } }

    public mutating func appendInterpolation(_ text: some CustomStringConvertible) { appendLiteral("\(text)") }

    /// A call of mailcfg.
    public mutating func appendInterpolation(call verb: String, _ names: String..., options: [String] = []) {
      parts.append(.call(Call(verb: verb, options: options, names: names)))
    }

    public mutating func appendInterpolation(command words: String...) { parts.append(.command(words)) }
  }
}
