import CLinux
import Glibc
import Linux
import MailAccounts
import MailHost
import Text

/// Puts back what a plan has, one thing at a time, each whole. What it replaces stays beside it.
///
/// Nothing of it is remembered: after a kill the next look shows what is still different.
struct RestoreWriter {
  let plan: RestorePlan
  let root: HostRoot
  /// What is added to the name of what is replaced.
  let mark: String

  init(_ plan: RestorePlan, _ root: HostRoot) {
    self.plan = plan
    self.root = root
    mark = SnapshotPlaces.asideMark + timestamp(Double(time(nil))).filter { $0 != "-" && $0 != ":" }
  }

  /// The name that what is replaced gets, in its directory: a free one.
  private func aside(_ path: String) -> (name: String, path: String) {
    let name = root.name(of: path) + mark
    let directory = String(path.dropLast(root.name(of: path).count))
    func isThere(_ name: String) -> Bool {
      var status = stat()
      return lstat(root.path(directory + name), &status) == 0
    }
    let free = ([name] + (2...99).map { "\(name)-\($0)" }).first { !isThere($0) } ?? name
    return (free, directory + free)
  }

  /// That everybody is there whom something belongs to.
  func requireOwners(_ items: [RestorePlan.Item]) throws(HostFailure) {
    for item in items {
      do throws(SystemError) {
        _ = try root.owners(item.entry.attributes)
      } catch {
        throw HostFailure(
          .failed, "\(error.text), to whom \(item.path) belongs; nothing was changed",
          hint: "`mailhost restore FILE settings --write`, then `mailhost apply`, which makes the users; then once more"
        )
      }
    }
  }

  /// - Returns: the path of what was replaced; nil: nothing was.
  func write(_ item: RestorePlan.Item) throws(HostFailure) -> String? {
    StopPoint.reached(item.entry.name)
    if item.entry.name == SnapshotPlaces.database { return try writeDatabase(item) }
    try requireUnchanged(item)
    let entry = item.entry
    var aside: String?
    try explained { () throws(SystemError) in
      switch (entry.kind, item.difference) {
      case (.directory, _):
        try root.make(
          HostDirectory(path: item.path, owner: entry.owner, group: entry.group, mode: entry.mode))
      case (_, .attributes): try root.set(entry.attributes, at: item.path)
      case (_, .missing): try place(item, aside: nil)
      default:
        let place = self.aside(item.path)
        try self.place(item, aside: place.name)
        aside = place.path
      }
    }
    return aside
  }

  private func place(_ item: RestorePlan.Item, aside: String?) throws(SystemError) {
    let entry = item.entry
    // The age of a key counts from its file's time. A filter with its old time would look older than what was compiled of another one.
    try root.place(entry, item.bytes, keepsTime: entry.part != .sieve, at: item.path, aside: aside)
    guard entry.part == .sieve else { return }
    for compiled in SnapshotPlaces.compiled(of: entry, at: item.path) { try root.remove(compiled) }
  }

  private func requireUnchanged(_ item: RestorePlan.Item) throws(HostFailure) {
    if item.difference == .unreadable { return }
    let now = try explained { () throws(SystemError) in try root.look(item.path) }
    guard now == item.present else {
      throw HostFailure(.failed, "\(item.path) was changed meanwhile", hint: "look again: call it once more")
    }
  }

  // MARK: Accounts

  private func writeDatabase(_ item: RestorePlan.Item) throws(HostFailure) -> String? {
    let path = item.path
    switch item.difference {
    case .older, .newer:
      return try replaceContents(item)
    case .same, .attributes, .missing, .empty, .unreadable:
      let isThere = item.difference != .missing
      let place = aside(path)
      try explained { () throws(SystemError) in
        // SQLite would write what is in it into the new one.
        try root.rename(path + "-journal", to: place.name + "-journal")
        StopPoint.reached("journal aside")
        try root.place(item.entry, item.bytes, keepsTime: true, at: path, aside: isThere ? place.name : nil)
      }
      return isThere ? place.path : nil
    }
  }

  /// Through SQLite: postfix and dovecot have the file open, and go on with it.
  private func replaceContents(_ item: RestorePlan.Item) throws(HostFailure) -> String {
    let aside = self.aside(item.path).path
    guard let moment = plan.moment else { throw HostFailure(.failed, "\(item.path) cannot be read") }
    let isReplaced: Bool
    do throws(AccountError) {
      let database = try AccountDatabase(path: root.path(item.path), .read)
      try database.backUp(to: root.path(aside))
      StopPoint.reached("accounts aside")
      isReplaced = try database.replaceContents(with: item.bytes, since: moment)
    } catch {
      throw HostFailure(.failed, "\(error)", hint: "the accounts are as they were")
    }
    guard isReplaced else {
      unlink(root.path(aside))
      throw HostFailure(
        .failed, "somebody has changed the accounts meanwhile; they were not replaced",
        hint: "look again: call it once more")
    }
    return aside
  }
}
