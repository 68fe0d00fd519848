import CLinux
import Glibc
import Linux
import MailAccounts
import MailHost
import Text

/// What of a snapshot differs from this host.
struct RestorePlan {
  /// One file, directory or link.
  struct Item {
    var entry: SnapshotEntry
    /// Of a file, as it is put back.
    var bytes: [UInt8]
    /// Where it belongs.
    var path: String
    var difference: SnapshotDifference
    /// What is there, for files.
    var present: PresentEntry?
    /// Why what is there cannot be read.
    var reason: String?

    var isWanted: Bool { difference != .same }
  }

  private(set) var items: [Item] = []
  /// What is not put back by this call, and why.
  private(set) var leftOut: [String] = []
  /// What replacing the database would mean.
  private(set) var accountChanges: [AccountList.Change] = []
  /// Of the database that they were found in.
  private(set) var moment: AccountDatabase.Moment?

  private let snapshot: Snapshot
  private let root: HostRoot

  /// - Parameter own: the files that the settings in the snapshot name.
  /// - Throws: where something in the snapshot belongs nowhere.
  init(
    _ snapshot: Snapshot, _ parts: Set<SnapshotPart>, _ places: SnapshotPlaces, own: [SnapshotPlaces.Place],
    _ root: HostRoot
  ) throws(HostFailure) {
    self.snapshot = snapshot
    self.root = root
    let now = timestamp(Double(time(nil)))
    for saved in snapshot.manifest.entries {
      guard let part = saved.part else { throw Self.nowhere(saved) }
      guard parts.contains(part) else { continue }
      let entry = saved.asPutBack(taken: snapshot.manifest.taken, now: now)
      if let path = places.path(of: entry) {
        let place = part == .settings ? root.followed(path) : path
        switch entry.name {
        case SnapshotPlaces.database: items.append(try database(entry, place))
        case SnapshotPlaces.signingTable: addTable(entry, place)
        default: items.append(item(entry, place))
        }
      } else if entry.kind == .file, let path = own.first(where: { $0.name == entry.name })?.path {
        addUnnamed(entry, path)
      } else {
        throw Self.nowhere(saved)
      }
    }
  }

  /// It names the files of the keys: those of this host.
  private mutating func addTable(_ saved: SnapshotEntry, _ path: String) {
    let text = String(decoding: snapshot.contents[saved.name] ?? [], as: UTF8.self)
    guard let table = try? SigningTable(reading: text) else {
      leftOut.append("left out: \(path): it is none that `mailhost dkim` has written")
      return
    }
    let bytes = Array(table.text(directory: String(path.dropLast(SigningTable.name.count + 1))).utf8)
    let entry = SnapshotEntry(
      name: saved.name, path: saved.path, kind: .file, bytes: bytes, attributes: saved.attributes,
      modified: saved.modified)
    items.append(item(entry, path, bytes))
  }

  /// A file that only the settings in the snapshot name comes with them, where it harms nobody.
  private mutating func addUnnamed(_ entry: SnapshotEntry, _ path: String) {
    guard SnapshotPlaces.takesUnnamed(path) else {
      leftOut.append(
        "left out: \(path), which only the settings in the snapshot name; once mailhost.toml here names it, call this again"
      )
      return
    }
    var item = item(entry, path)
    // What is there is something else to this host.
    if item.difference == .older || item.difference == .attributes { item.difference = .newer }
    items.append(item)
  }

  private static func nowhere(_ entry: SnapshotEntry) -> HostFailure {
    HostFailure(
      .failed, "the snapshot has \(visibleInLine(entry.name)), which belongs nowhere on this host; nothing was changed")
  }

  var different: [Item] { items.filter(\.isWanted) }

  private func item(_ entry: SnapshotEntry, _ path: String, _ bytes: [UInt8]? = nil) -> Item {
    var item = Item(
      entry: entry, bytes: bytes ?? snapshot.contents[entry.name] ?? [], path: path, difference: .unreadable)
    do throws(SystemError) {
      item.present = try root.look(path)
      item.difference = entry.difference(to: item.present)
      // It was saved as the file that it leads to.
      if let link = item.present, link.kind == .link, entry.kind == .file, entry.part != .sieve {
        item.difference = entry.difference(to: try root.behind(link, at: path))
        if item.difference == .attributes { item.difference = .same }
      }
    } catch {
      item.reason = error.text
    }
    return item
  }

  private mutating func database(_ entry: SnapshotEntry, _ path: String) throws(HostFailure) -> Item {
    let image = snapshot.contents[entry.name] ?? []
    var item = Item(entry: entry, bytes: image, path: path, difference: .same)
    let saved: AccountList
    do throws(AccountError) {
      saved = try AccountList(
        try AccountDatabase.reading(image: image, called: "the account database in it"))
    } catch {
      throw HostFailure(
        .failed, "\(error); nothing was changed",
        hint: "`mailhost verify-snapshot` tells more; the other parts can be restored by their names")
    }
    guard !saved.findings.contains(where: { $0.kind == "damage" }) else {
      throw HostFailure(.failed, "the account database in the snapshot is damaged; nothing was changed")
    }
    guard let status = fileStatus(root.path(path)) else {
      item.difference = .missing
      accountChanges = AccountList().changes(to: saved)
      return item
    }
    do throws(AccountError) {
      let database = try AccountDatabase(path: root.path(path), .read)
      // Before it is read: what is changed meanwhile is then seen.
      moment = try database.moment()
      let here = try AccountList(database)
      if let damage = here.findings.first(where: { $0.kind == "damage" }) { throw .invalid(damage.message) }
      accountChanges = here.changes(to: saved)
      if here != saved {
        item.difference = timestamp(Double(status.st_mtim.tv_sec)) < entry.modified ? .older : .newer
      }
    } catch {
      switch error {
      case .database(.missing, _): item.difference = .empty
      case .invalid, .database(.damaged, _), .database(.notADatabase, _), .database(.foreignSchema, _):
        item.difference = .unreadable
        item.reason = "\(error)"
      default: throw HostFailure(.failed, "\(error); nothing was changed")
      }
      moment = nil
      accountChanges = AccountList().changes(to: saved)
    }
    return item
  }
}

extension HostRoot {
  /// Where a path of root's own leads to, if it is a link.
  func followed(_ path: String) -> String { isHere ? resolvedPath(path) ?? path : path }
}
