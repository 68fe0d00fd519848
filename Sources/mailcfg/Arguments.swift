import MailbootCore
import Text

/// What was typed: a verb, its arguments, its options.
///
/// A parser of our own, because one call may take no longer than the sqlite3 shell, about a millisecond: ArgumentParser alone
/// takes longer than that before it has looked at the first word.
struct Arguments {
  let verb: Verb
  let words: [String]
  private let options: [(Option, String)]

  /// An option's value; the last one counts.
  subscript(_ option: Option) -> String? { options.last { $0.0 == option }?.1 }

  func has(_ option: Option) -> Bool { options.contains { $0.0 == option } }

  /// - Parameter typed: without the program's name.
  init(parsing typed: [String]) throws(Failure) {
    var words: [String] = []
    var options: [(Option, String)] = []
    var rest = typed[...]
    while let word = rest.popFirst() {
      if word.utf8.first != UInt8(ascii: "-") || word == "-" {
        words.append(word)
      } else if word == "--" {
        words += rest
        break
      } else {
        options.append(try Self.option(word, &rest))
      }
    }
    let given = options.map(\.0)
    if given.contains(.version) {
      self.init(verb: .help, words: [], options: options)
      return
    }
    guard let first = words.first else {
      guard given.contains(.help) else {
        throw .usage("a verb is missing", hint: "`mailcfg help` shows what there is")
      }
      self.init(verb: .help, words: [], options: options)
      return
    }
    guard let verb = Verb(rawValue: first) else { throw Self.unknownVerb(first) }
    words.removeFirst()
    if given.contains(.help) {
      self.init(verb: .help, words: verb == .help ? words : [verb.rawValue], options: options)
      return
    }
    if let surplus = given.first(where: { !Option.common.contains($0) && !verb.options.contains($0) }) {
      throw .usage("`mailcfg \(verb.rawValue)` has no option --\(surplus.rawValue)", hint: Self.help(verb))
    }
    guard verb.arguments.contains(words.count) else {
      let what = words.count < verb.arguments.lowerBound ? "an argument is missing" : "there are too many arguments"
      throw .usage(what, hint: "the call is `mailcfg \(verb.rawValue) \(verb.synopsis)`")
    }
    self.init(verb: verb, words: words, options: options)
  }

  private init(verb: Verb, words: [String], options: [(Option, String)]) {
    self.verb = verb
    self.words = words
    self.options = options
  }

  private static func option(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) -> (Option, String) {
    // As the old script has it.
    if word == "-id" { return (.id, try value(of: .id, &rest)) }
    if word == "-h" { return (.help, "") }
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard word.utf8.starts(with: "--".utf8), let option = Option(rawValue: String(parts[0].dropFirst(2))) else {
      throw unknownOption(String(parts[0]))
    }
    guard option.valueName != nil else {
      guard parts.count == 1 else { throw .usage("--\(option.rawValue) takes no value", hint: nil) }
      return (option, "")
    }
    return (option, parts.count == 2 ? String(parts[1]) : try value(of: option, &rest))
  }

  private static func value(of option: Option, _ rest: inout ArraySlice<String>) throws(Failure) -> String {
    if let value = rest.popFirst() { return value }
    throw .usage("--\(option.rawValue) needs a value", hint: "--\(option.rawValue) \(option.valueName ?? "")")
  }

  private static func help(_ verb: Verb) -> String { "see `mailcfg help \(verb.rawValue)`" }

  private static func unknownOption(_ word: String) -> Failure {
    let names = Option.allCases.map { "--" + $0.rawValue }
    let hint = nearest(word, names).map { "did you mean \($0)?" }
    return .usage(
      "there is no option \(word)", hint: hint ?? "see `mailcfg help`; after -- nothing is taken for an option")
  }

  private static func unknownVerb(_ word: String) -> Failure {
    let names = Verb.shown.map(\.rawValue)
    if let near = nearest(word, names) {
      return .usage("there is no verb \(word)", hint: "did you mean `mailcfg \(near)`?")
    }
    let begun = word.utf8.count > 1 ? names.filter { $0.hasPrefix(word) } : []
    return .usage(
      "there is no verb \(word)",
      hint: begun.isEmpty
        ? "`mailcfg help` shows what there is" : "did you mean one of \(begun.joined(separator: ", "))?")
  }

  private static func nearest(_ word: String, _ names: [String]) -> String? {
    let best = names.map { (name: $0, distance: editDistance($0, word)) }.min { $0.distance < $1.distance }
    return best.flatMap { $0.distance <= 2 ? $0.name : nil }
  }
}
