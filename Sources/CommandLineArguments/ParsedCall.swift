import ArgumentParser

/// What came of the words of a call.
public enum ParsedCall {
  /// Something to be done.
  case verb(any ParsableCommand)
  /// Something to be printed: help, the version, completions, a completion script.
  case answer(String)
  /// Why it is no call of this program, in one line or a few.
  case refusal(String)
}

/// Parses the words of a call, its verb first, by the verbs of `root`.
///
/// - Parameter isVerb: whether a command does something. The others, such as `help`, only print what ArgumentParser has to say.
public func parsedCall<Root: ParsableCommand>(
  _ words: [String], of root: Root.Type, isVerb: (any ParsableCommand) -> Bool
) -> ParsedCall {
  if let command = shortWay(words, of: root), isVerb(command) { return .verb(command) }
  do {
    var command = try root.parseAsRoot(words)
    if isVerb(command) { return .verb(command) }
    try command.run()
    return .answer("")
  } catch {
    if root.exitCode(for: error).isSuccess { return .answer(root.fullMessage(for: error)) }
    let text = root.message(for: error)
    return .refusal(text.isEmpty ? root.fullMessage(for: error) : text)
  }
}

/// A flawless call of one verb, parsed without looking at all the others, which takes longer than `status` takes for its work. Nil:
/// the whole program has the word.
private func shortWay<Root: ParsableCommand>(_ words: [String], of root: Root.Type) -> (any ParsableCommand)? {
  let verb = root.configuration.subcommands.first { $0._commandName == words.first }
  guard let verb, verb.configuration.subcommands.isEmpty else { return nil }
  return try? verb.parseAsRoot(Array(words.dropFirst()))
}
