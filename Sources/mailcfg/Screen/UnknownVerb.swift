import ArgumentParser
import CommandLineArguments
import MailAccounts

/// Refuses what is no verb, with the one that was meant where that can be told.
func requireVerb(_ word: String) throws(Failure) {
  let verbs = Mailcfg.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
  guard !verbs.contains(word) else { return }
  let text = "there is no verb \(word)"
  if let meant = nearestWord(word, among: verbs) { throw .usage(text, hint: "did you mean \(call: meant)?") }
  let begun = word.utf8.count > 1 ? verbs.filter { $0.hasPrefix(word) } : []
  throw .usage(text, hint: begun.isEmpty ? overviewHint : "did you mean one of \(begun.joined(separator: ", "))?")
}

let overviewHint: Advice = "\(call: "help") shows what there is"
