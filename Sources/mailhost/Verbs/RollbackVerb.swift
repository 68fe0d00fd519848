import ArgumentParser
import Console
import Linux
import MailHost

struct RollbackVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Bring an earlier generation of the files back, and test it.",
    discussion: """
      Without a number the one before the present one. 0 is the host as it was before the first `apply`. Packages, users and what is \
      in the vault stay. mailhost.toml is not changed: `plan` then shows what it would change again.
      """)

  @OptionGroup var host: HostOptions

  @Argument(help: "Its number, see `mailhost history`.")
  var number: Int?

  @Flag(help: "Do not test afterwards.")
  var noTest = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("rollback") }
    let work = try HostWork(host)
    let lock = try HostLock(work.root)
    defer { withExtendedLifetime(lock) {} }
    try settle(work) { tell("note: \($0)") }
    guard let current = try explained({ () throws(SystemError) in try work.store.current() }) else {
      throw HostFailure(.failed, "nothing was applied yet")
    }
    let target = number ?? work.store.numbers().first { $0 < current.number } ?? 0
    guard target != current.number else {
      say("generation \(target) is in place")
      return 0
    }
    let wanted = try wanted(target, work)
    var seen = HostObserver.Observation()
    seen.isOpen = Vault(settings: work.settings, root: work.root).isOpen
    var entries: [Generation.Entry] = []
    var texts: [String: [UInt8]] = [:]
    for path in Set(wanted.keys).union(current.entries.map(\.path)).sorted() {
      let there = try explained { () throws(SystemError) in try work.root.read(path) }
      seen.present[path] = there
      let reader = current.entries.first { $0.path == path }?.reader ?? HostFile.Reader.nobody.rawValue
      let stored = wanted[path]
      if stored == there { continue }
      let ours = try explained { () throws(SystemError) in try work.store.text(path, of: current.number) }
      if let there, let ours, there.text != ours {
        tell("note: \(path) was edited; what it was is in generation \((work.store.numbers().first ?? 0) + 1)")
      }
      entries.append(
        Generation.Entry(path: path, present: stored?.attributes, before: there?.attributes, reader: reader))
      texts[path] = stored?.bytes
      seen.plan.changes.append(HostChange(.file, stored == nil ? .remove : .change, path))
      if let reader = HostFile.Reader(rawValue: reader) { seen.readers.insert(reader) }
    }
    // What stays the same is part of it, too: the next `plan` compares with it.
    for entry in current.entries where !entries.contains(where: { $0.path == entry.path }) {
      guard let stored = wanted[entry.path] else { continue }
      entries.append(
        Generation.Entry(
          path: entry.path, present: stored.attributes, before: stored.attributes, reader: entry.reader))
      texts[entry.path] = stored.bytes
    }
    let generation = try work.generation("rollback to \(target)", entries)
    try ApplyRun(
      work: work, seen: seen, terminal: terminal, tests: !noTest && target > 0, validates: target > 0
    ).perform(generation, texts)
    return 0
  }

  /// Every file of a generation; of 0, what was there before the first one.
  private func wanted(_ target: Int, _ work: HostWork) throws(HostFailure) -> [String: HostRoot.Stored] {
    try explained { () throws(SystemError) in
      var wanted: [String: HostRoot.Stored] = [:]
      if target > 0 {
        for entry in try work.store.generation(target).entries {
          guard let attributes = entry.present, let text = try work.store.text(entry.path, of: target) else { continue }
          wanted[entry.path] = HostRoot.Stored(bytes: Array(text.utf8), attributes: attributes)
        }
        return wanted
      }
      // The oldest that names a file knows how it was before all of ours.
      for number in work.store.numbers() {
        for entry in try work.store.generation(number).entries {
          wanted[entry.path] = try work.store.before(entry, of: number)
        }
      }
      return wanted
    }
  }
}
