import ArgumentParser
import Console
import JSON
import Linux
import MailHost

struct HistoryVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "The generations of the host's files, newest first.")

  @OptionGroup var host: HostOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("history") }
    let store = GenerationStore(root: HostRoot(prefix: host.prefix))
    let (current, pending) = try explained { () throws(SystemError) in
      (try store.currentNumber(), try store.pendingNumber())
    }
    var generations: [Generation] = []
    for number in store.numbers() {
      // One that is being written has no description yet.
      if let generation = try? store.generation(number) { generations.append(generation) }
    }
    switch format {
    case .json:
      let rows = generations.map { generation -> JSONText in
        .object([
          ("number", .integer(Int64(generation.number))), ("at", .string(generation.at)),
          ("reason", .string(generation.reason)), ("versions", .string(generation.versions)),
          ("files", .integer(Int64(generation.entries.count))), ("current", .bool(generation.number == current)),
        ])
      }
      say(JSONText.array(rows).rendered())
    case .text:
      if generations.isEmpty { say("nothing was applied yet") }
      for generation in generations {
        let mark = generation.number == current ? "*" : generation.number == pending ? "?" : " "
        say(
          "\(mark) \(String(generation.number).paddedLeft(3))  \(generation.at)  \(generation.reason.padded(14))  \(generation.versions)"
        )
      }
      if pending != nil { say("? was interrupted; the next `mailhost apply` takes it back") }
    }
    return 0
  }
}
