import Console
import MailHost
import Text

/// A key with its state, as it is shown and printed.
struct KeySight {
  var key: SigningKeyFile
  var state: KeyState
  var seen: RecordVisibility
  var record: KeyRecord
}

/// Words for keys, their records and what a rotation does.
struct KeyText {
  let terminal: Terminal
  let publisher: RecordPublisher
  let now: Double

  // MARK: State

  func lines(_ keys: DomainKeys, _ sights: [KeySight]) -> [String] {
    var lines = [terminal.coloured(keys.domain, .bold)]
    for selector in keys.signing where keys.key(selector) == nil {
      lines.append(line(selector, "", "active", "its file is missing: nothing is signed with it", .red))
    }
    for sight in sights {
      let (text, colour) = remark(sight)
      lines.append(line(sight.key.selector, sight.key.algorithm.rawValue, sight.state.rawValue, text, colour))
    }
    if lines.count == 1 { lines.append("  no key: `mailhost dkim generate \(shellWord(keys.domain))`") }
    return lines
  }

  private func line(
    _ selector: String, _ algorithm: String, _ state: String, _ text: String, _ colour: Terminal.Colour?
  ) -> String {
    let start = "  \(selector.padded(10)) \(algorithm.padded(8)) "
    let indent = start.count + 11
    let wrapped = terminal.wrapped(start + state.padded(10) + " " + visibleInLine(text), indent: indent)
    guard let colour else { return wrapped }
    return start + terminal.coloured(state.padded(10), colour) + wrapped.dropFirst(start.count + 10)
  }

  private func remark(_ sight: KeySight) -> (String, Terminal.Colour?) {
    let key = sight.key
    if let problem = key.problem { return ("its file \(problem)", .red) }
    let obstacles = sight.seen.obstacles.joined(separator: "; ")
    switch sight.state {
    case .active:
      if sight.seen.isEverywhere { return ("signs; the key is \(age(now - key.made)) old", .green) }
      return sight.seen.unknown == nil
        ? ("signs, but: \(obstacles)", .red)
        : ("signs; whether its record is shown is not known: \(obstacles)", .yellow)
    case .published: return ("every server shows its record: `mailhost dkim rotate` lets it sign", .green)
    case .next: return (obstacles, .yellow)
    case .retiring:
      guard case .since(let last)? = key.mark else {
        return ("was to be replaced; `mailhost dkim rotate` goes on", .yellow)
      }
      return ("signed until \(timestamp(last))", nil)
    case .retired: return ("its record is gone: `mailhost dkim rotate` removes its file", nil)
    }
  }

  // MARK: Records

  /// What a person publishes, in the forms that zone files and web forms want.
  func publishing(_ record: KeyRecord) -> [String] {
    let name = publisher.name(of: record)
    var lines: [String] = []
    if name != record.name {
      lines += [
        "  once and for all, in the zone of \(record.domain):",
        "    \(record.name). CNAME \(name).",
        "  and in the zone of \(name):",
      ]
    }
    return lines
      + [
        "  type   TXT",
        "  name   \(name)",
        name == record.name ? "  or     \(record.label)   (where the form adds the domain)" : nil,
        "  value  \(record.text)",
        "  or, where a form or a zone file takes no more than 255 characters in one piece:",
        "  value  \(record.quotedText)",
      ].compactMap(\.self)
  }

  // MARK: Rotation

  /// - Returns: what is said, and whether it is a person's turn.
  func lines(_ event: RotationEvent, _ domain: String) -> (lines: [String], needsPerson: Bool) {
    switch event {
    case .made(let record):
      return (["\(domain): made the key \(record.selector) (\(record.algorithm.rawValue))"], false)
    case .publishing(let record): return (["\(domain): handed \(publisher.name(of: record)) to the name server"], false)
    case .toPublish(let record):
      return (["\(domain): publish this record, then call `mailhost dkim rotate` again:"] + publishing(record), true)
    case .waits(let record, let reasons):
      return (["\(domain): \(record.selector) does not sign yet:"] + reasons.map { "  \(visibleInLine($0))" }, false)
    case .ready(let record):
      return (["\(domain): \(record.selector) is published and waits for its time"], false)
    case .switched(let old, let record):
      let before = old.isEmpty ? "" : " in place of \(old.joined(separator: ", "))"
      return (["\(domain): \(record.selector) signs now\(before)"], false)
    case .keeps(let selector, let until):
      return (["\(domain): the record of \(selector) stays until \(timestamp(until))"], false)
    case .clock(let selector):
      return (
        ["\(domain): \(selector) signed last in the future: the clock was wrong, or is (`timedatectl`)"], true
      )
    case .withdrawing(let record): return (["\(domain): took \(publisher.name(of: record)) out of the zone"], false)
    case .toWithdraw(let record):
      return (
        [
          "\(domain): remove this record, then call `mailhost dkim rotate` again:", "  type   TXT",
          "  name   \(publisher.name(of: record))",
        ], true
      )
    case .lingers(let record, let reasons):
      return (["\(domain): \(record.selector) is still shown:"] + reasons.map { "  \(visibleInLine($0))" }, false)
    case .removed(let selector): return (["\(domain): removed the key \(selector): nobody needs it any more"], false)
    case .broken(let selector, let reason):
      return (["\(domain): the key \(selector), which is to sign, \(visibleInLine(reason))"], true)
    case .finished(let selectors):
      return (
        ["\(domain): finished what an interrupted call had begun: \(selectors.joined(separator: ", ")) signs no more"],
        false
      )
    }
  }
}
