import CLinux
import Console
import Glibc
import Linux
import MailHost
import Text

/// What `plan` and `apply` have in common: the settings, this host, and the difference.
struct HostWork {
  var settings: HostSettings
  var facts: HostFacts
  var files: [RenderedFile]
  let root: HostRoot
  let options: HostOptions

  init(_ options: HostOptions) throws(HostFailure) {
    self.options = options
    root = HostRoot(prefix: options.prefix)
    settings = try options.settings()
    if !root.isHere {
      // Another system's services are not ours to touch.
      settings.manage.services = false
    }
    facts = try HostFacts.here(settings, in: root)
    files = try rendered(settings, facts, options)
  }

  /// Looks again, after packages or users came.
  mutating func refresh() throws(HostFailure) {
    facts = try HostFacts.here(settings, in: root)
    files = try rendered(settings, facts, options)
  }

  func observe(
    isFresh: Bool = false, _ decisions: HostObserver.Decisions = .init()
  ) throws(HostFailure) -> HostObserver.Observation {
    try HostObserver(
      settings: settings, facts: facts, root: root, files: files, isFresh: isFresh, decisions: decisions
    ).observe()
  }

  var store: GenerationStore { GenerationStore(root: root) }

  var versions: String {
    let versions = facts.versions
    return "postfix \(versions.postfix), dovecot \(versions.dovecot), rspamd \(versions.rspamd), "
      + "\(versions.redisName) \(versions.redis)"
  }

  /// The generation that comes of the settings as they are.
  func nextGeneration(_ seen: HostObserver.Observation, reason: String) throws(HostFailure) -> (
    Generation, [String: [UInt8]]
  ) {
    let kept = Set(seen.plan.changes.filter { [.keep, .decide].contains($0.action) }.map(\.subject))
    var entries: [Generation.Entry] = []
    var texts: [String: [UInt8]] = [:]
    for file in files where !settings.isInVault(file.file.path) && file.file.syntax != .sieve {
      let path = file.file.path
      if kept.contains(path) { continue }
      texts[path] = Array(file.text.utf8)
      entries.append(
        Generation.Entry(
          path: path,
          present: Generation.Attributes(mode: file.file.mode, owner: file.file.owner, group: file.file.group),
          before: seen.present[path]?.attributes, reader: file.file.reader.rawValue))
    }
    for change in seen.plan.changes where change.kind == .file && change.action == .remove {
      entries.append(
        Generation.Entry(
          path: change.subject, present: nil, before: seen.present[change.subject]?.attributes,
          reader: HostFile.Reader.nobody.rawValue))
    }
    return (try generation(reason, entries), texts)
  }

  func generation(_ reason: String, _ entries: [Generation.Entry]) throws(HostFailure) -> Generation {
    Generation(
      number: (store.numbers().first ?? 0) + 1, at: timestamp(Double(time(nil))), reason: reason, versions: versions,
      entries: entries)
  }
}

/// One call at a time changes the host.
struct HostLock: ~Copyable {
  private let descriptor: Int32

  /// - Parameter seconds: how long to wait for another call to end.
  init(_ root: HostRoot, waiting seconds: Double = 0) throws(HostFailure) {
    let path = root.path(root.isHere ? "/run/mailhost.lock" : "/var/lib/mailhost.lock")
    descriptor = mb_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw HostFailure(.failed, "\(path): \(errnoText())") }
    let end = monotonicSeconds() + seconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if monotonicSeconds() < end {
        usleep(200_000)
        continue
      }
      close(descriptor)
      throw HostFailure(.failed, "another mailhost is at work", hint: "wait until it has ended")
    }
  }

  deinit { close(descriptor) }
}

/// Takes back what a call that was killed had begun, and says so.
func settle(_ work: HostWork, say: (String) -> Void) throws(HostFailure) {
  try explained { () throws(SystemError) in try PackageInstaller(root: work.root).allow() }
  let (pending, current) = try explained { () throws(SystemError) in
    (try work.store.pendingNumber(), try work.store.currentNumber())
  }
  guard let pending else { return }
  if pending == current {
    // It had arrived, and was killed before it could say so.
    try explained { () throws(SystemError) in try work.store.commit(pending) }
    say("an earlier call was interrupted after its work was done: generation \(pending) is in place")
    return
  }
  let begun = try? work.store.generation(pending)
  try explained { () throws(SystemError) in try work.store.takeBack(pending) }
  say(
    "an earlier call was interrupted: what it had begun was taken back, "
      + (current.map { "generation \($0) is in place" } ?? "the files are as they were before"))
  if let begun { try tellDaemons(of: begun, work) }
}

/// A daemon that runs may have read files that are not there any more.
private func tellDaemons(of generation: Generation, _ work: HostWork) throws(HostFailure) {
  guard work.settings.manage.services, work.root.isHere, Services.isThere else { return }
  let services = Services(redisName: work.facts.versions.redisName)
  let readers = Set(generation.entries.compactMap { HostFile.Reader(rawValue: $0.reader) })
  try services.reloadManager()
  for reader in HostFile.Reader.doorLast where readers.contains(reader) { try services.tell(reader, anew: true) }
}

/// Only root can look into and change all of it.
func requireRoot(_ verb: String) throws(HostFailure) {
  guard geteuid() == 0 else {
    throw HostFailure(.notPermitted, "`mailhost \(verb)` needs root", hint: "`sudo mailhost \(verb)`")
  }
}
