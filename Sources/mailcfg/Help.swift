import Console
import MailbootCore

/// What `mailcfg help` prints.
func help(_ arguments: Arguments, _ output: Output) throws(Failure) {
  if arguments.has(.version) {
    output.line("mailcfg \(Version.text)")
  } else if let name = arguments.words.first {
    guard let verb = Verb(rawValue: name) else {
      throw .usage("there is no verb \(name)", hint: "`mailcfg help` shows what there is")
    }
    help(for: verb, output)
  } else {
    overview(output)
  }
}

private func overview(_ output: Output) {
  output.line("usage: mailcfg VERB [ARGUMENT]… [OPTION]…")
  output.line("The mail host's domains, users and aliases.")
  output.line("")
  let calls = Verb.shown.map { "\($0.rawValue) \($0.synopsis)" }
  let width = calls.map(\.count).max() ?? 0
  for (verb, call) in zip(Verb.shown, calls) { output.line("  \(call.padded(width))  \(verb.summary)") }
  output.line("")
  list(Option.common + [.version], output)
  output.line("")
  output.line("`mailcfg help VERB` shows a verb's options; options may stand anywhere. Passwords are asked for.")
  output.line("Exit codes: 0 done, 1 failed, 64 usage, 77 not permitted, 78 configuration, 130 interrupted.")
}

private func help(for verb: Verb, _ output: Output) {
  output.line("usage: mailcfg \(verb.rawValue) \(verb.synopsis)".trimmingSpaces())
  output.line(verb.summary)
  output.line("")
  list(verb.options + Option.common, output)
}

private func list(_ options: [Option], _ output: Output) {
  let names = options.map { option in "--\(option.rawValue)" + (option.valueName.map { " " + $0 } ?? "") }
  let width = names.map(\.count).max() ?? 0
  for (option, name) in zip(options, names) { output.line("  \(name.padded(width))  \(option.summary)") }
}

extension String {
  fileprivate func trimmingSpaces() -> String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
