import CLinux
import Glibc
import Linux
import MailAccounts
import MailHost
import MailbootCore
import Text

/// Takes a snapshot of this host while it is used.
struct SnapshotCollector {
  let settings: HostSettings
  let root: HostRoot
  let places: SnapshotPlaces
  /// Told of what is left out, which nobody would expect.
  let warn: (String) -> Void

  private var entries: [SnapshotEntry] = []
  private var contents: [String: [UInt8]] = [:]
  private var size = 0

  init(_ settings: HostSettings, _ root: HostRoot, _ places: SnapshotPlaces, warn: @escaping (String) -> Void) {
    self.settings = settings
    self.root = root
    self.places = places
    self.warn = warn
  }

  mutating func collect() throws(HostFailure) -> Snapshot {
    let taken = timestamp(Double(time(nil)))
    for place in places.places {
      switch place.extent {
      case .database: try addDatabase(place)
      case .file: try addFile(place.name, root.followed(place.path))
      case .flat: try addDirectory(place.name, place.path, keepsItself: true) { _, kind in kind == .file }
      case .dropIns:
        try addDirectory(place.name, place.path, keepsItself: false) { name, kind in
          kind == .file && SnapshotPlaces.isDropIn(name)
        }
      case .tree: try addDirectory(place.name, place.path, keepsItself: true, keepsLinks: true) { _, _ in true }
      }
    }
    let manifest = SnapshotManifest(
      program: "mailhost \(Version.text)", host: settings.hostName, taken: taken, entries: entries)
    return Snapshot(manifest: manifest, contents: contents)
  }

  private mutating func add(_ entry: SnapshotEntry, _ bytes: [UInt8] = []) throws(HostFailure) {
    size += bytes.count + 2048
    guard size <= Snapshot.limit - (16 << 20) else {
      throw HostFailure(
        .failed, "a snapshot of this host would be larger than \(Snapshot.limit >> 20) MiB",
        hint: "back it up with a program for that; `mailhost paths` says what it must have")
    }
    entries.append(entry)
    if entry.kind == .file { contents[entry.name] = bytes }
  }

  // MARK: Accounts

  private mutating func addDatabase(_ place: SnapshotPlaces.Place) throws(HostFailure) {
    let image: [UInt8]
    let damage: String?
    // Before it is read: what is changed meanwhile is newer.
    let before = fileStatus(root.path(place.path))
    do throws(AccountError) {
      let database = try AccountDatabase(path: root.path(place.path), .read)
      image = try database.image()
      damage = try AccountDatabase.reading(image: image, called: place.path, isOwn: true).check()
        .first { $0.kind == "damage" }?.message
    } catch {
      throw HostFailure(.failed, "\(error)", hint: "nothing was written; `mailcfg check` tells more")
    }
    if let damage {
      throw HostFailure(
        .failed, "\(place.path) is damaged: \(damage)",
        hint: "nothing was written: restore an earlier snapshot with `mailhost restore`, or see `mailcfg check`")
    }
    guard let before else { throw HostFailure(.failed, "\(place.path): \(errnoText())") }
    try add(
      SnapshotEntry(
        name: place.name, path: place.path, kind: .file, bytes: image,
        attributes: root.attributes(of: before), modified: timestamp(Double(before.st_mtim.tv_sec))), image)
  }

  // MARK: Files

  private mutating func addFile(_ name: String, _ path: String) throws(HostFailure) {
    guard let found = try explained({ () throws(SystemError) in try root.look(path) }) else { return }
    try add(
      SnapshotEntry(
        name: name, path: path, kind: found.kind, bytes: found.bytes, target: found.target,
        attributes: found.attributes, modified: found.modified), found.bytes)
  }

  private mutating func addDirectory(
    _ name: String, _ path: String, keepsItself: Bool, keepsLinks: Bool = false,
    _ isWanted: (_ name: String, _ kind: SnapshotEntry.Kind) -> Bool
  ) throws(HostFailure) {
    guard let names = try explained({ () throws(SystemError) in try root.names(in: path) }) else { return }
    if keepsItself { try addFile(name, path) }
    for child in names where SnapshotPlaces.isSaved(child) {
      let place = "\(path)/\(child)"
      var found: PresentEntry?
      do throws(SystemError) {
        found = try root.look(place)
        // In a directory of root's own, or of a daemon, a link is the administrator's word for a file elsewhere.
        if let link = found, link.kind == .link, !keepsLinks, isWanted(child, .file) {
          found = try root.behind(link, at: place)
        }
      } catch {
        warn("left out: \(error.text)")
        continue
      }
      guard let found else { continue }
      guard isWanted(child, found.kind) else {
        if isWanted(child, .file) { warn("left out: \(place) is no file") }
        continue
      }
      let entry = SnapshotEntry(
        name: "\(name)/\(child)", path: place, kind: found.kind, bytes: found.bytes, target: found.target,
        attributes: found.attributes, modified: found.modified)
      guard places.path(of: entry) != nil else {
        warn("left out: \(place)" + (found.kind == .link ? " leads to \(found.target)" : " has a name that is refused"))
        continue
      }
      if found.kind == .directory {
        try addDirectory(entry.name, place, keepsItself: true, keepsLinks: keepsLinks, isWanted)
      } else {
        try add(entry, found.bytes)
      }
    }
  }
}
