/// The words of a call with its verb moved to the front: every option may stand before it.
///
/// - Parameters:
///   - typed: without the program's name.
///   - optionsWithValue: with their dashes. What follows one of them is no verb.
///   - families: verbs that have verbs of their own, as `config` in `config check`.
public func verbFirst(
  _ typed: [String], optionsWithValue: Set<String>, families: Set<String> = []
) -> [String] {
  // A completion script asks, with the words that it completes: they are not this call's.
  if typed.first?.hasPrefix("---") == true { return typed }
  var verbs: [String] = []
  var others: [String] = []
  var rest = typed[...]
  while let word = rest.popFirst() {
    if word == "--" {
      others.append(word)
      break
    }
    if word.hasPrefix("-") {
      others.append(word)
      if optionsWithValue.contains(word), let value = rest.popFirst() { others.append(value) }
    } else if verbs.allSatisfy({ $0 == "help" || families.contains($0) }) {
      verbs.append(word)
    } else {
      others.append(word)
    }
  }
  return verbs + others + rest
}
