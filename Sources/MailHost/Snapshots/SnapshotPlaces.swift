/// Where on a host what is in a snapshot belongs. Only these places are ever read or written.
public struct SnapshotPlaces: Equatable, Sendable {
  /// Something to be saved.
  public struct Place: Equatable, Sendable {
    public enum Extent: Equatable, Sendable {
      case file
      /// The database, which is no file to be copied.
      case database
      /// The files in a directory, without directories in it.
      case flat
      /// Only those whose names end so.
      case dropIns
      /// All that is below a directory.
      case tree
    }

    public var part: SnapshotPart
    /// In the snapshot.
    public var name: String
    public var path: String
    public var extent: Extent
  }

  public static let database = "accounts/maildb.sqlite3"
  public static let settings = "settings/mailhost.toml"
  public static let signingTable = "keys/\(SigningTable.name)"

  public let places: [Place]

  /// - Parameters:
  ///   - settingsFile: `mailhost.toml`.
  ///   - mailbootFile: `mailboot.toml`.
  ///   - namesFiles: whether a file that the settings only name has its place there.
  public init(_ settings: HostSettings, settingsFile: String, mailbootFile: String, namesFiles: Bool = true) {
    let places = [
      Place(part: .accounts, name: Self.database, path: settings.database, extent: .database),
      Place(part: .keys, name: "keys", path: settings.dkim, extent: .flat),
      Place(part: .sieve, name: "sieve", path: settings.sieve, extent: .tree),
      Place(part: .settings, name: Self.settings, path: settingsFile, extent: .file),
      Place(part: .settings, name: "settings/mailhost.toml.d", path: settingsFile + ".d", extent: .dropIns),
      Place(part: .settings, name: "settings/mailboot.toml", path: mailbootFile, extent: .file),
      Place(part: .settings, name: "settings/mailboot.toml.d", path: mailbootFile + ".d", extent: .dropIns),
    ]
    self.places = places + (namesFiles ? Self.named(by: settings) : [])
  }

  static let password = "settings/smarthost-password"

  /// Files that settings name, wherever they are.
  public static func named(by settings: HostSettings) -> [Place] {
    var places: [Place] = []
    if let file = settings.smarthost?.passwordFile {
      places.append(Place(part: .settings, name: password, path: file, extent: .file))
    }
    if let file = settings.own.dovecot {
      places.append(Place(part: .settings, name: "settings/dovecot-extra.conf", path: file, extent: .file))
    }
    return places
  }

  /// Whether a file may come to a place that nobody but the snapshot itself names. Whoever has the public key can have made that: the place
  /// must be one where nothing is run or read unasked.
  public static func takesUnnamed(_ path: String) -> Bool {
    let directory = "/etc/mailboot/"
    guard path.hasPrefix(directory) else { return false }
    let name = String(path.dropFirst(directory.count))
    return isSafe(name) && !name.contains("/") && !name.hasPrefix(".") && !name.hasSuffix(".toml")
  }

  /// Where an entry belongs on this host; nil: nowhere, and it is not taken.
  public func path(of entry: SnapshotEntry) -> String? {
    guard Self.isSafe(entry.name) else { return nil }
    for place in places {
      switch place.extent {
      case .file, .database:
        if entry.name == place.name { return entry.kind == .file ? place.path : nil }
      case .flat, .dropIns, .tree:
        if entry.name == place.name { return entry.kind == .directory && place.extent != .dropIns ? place.path : nil }
        guard entry.name.hasPrefix(place.name + "/") else { continue }
        let rest = String(entry.name.dropFirst(place.name.count + 1))
        let isHere =
          switch place.extent {
          case .flat: entry.kind == .file && !rest.contains("/")
          case .dropIns: entry.kind == .file && !rest.contains("/") && Self.isDropIn(rest)
          // What dovecot has compiled is run as it is.
          default: !rest.hasSuffix(".svbin") && (entry.kind != .link || Self.isSafe(entry.target))
          }
        return isHere ? "\(place.path)/\(rest)" : nil
      }
    }
    return nil
  }

  /// As they are read from beside a settings file.
  public static func isDropIn(_ name: String) -> Bool { name.hasSuffix(".toml") && !name.hasPrefix(".") }

  /// Whether a file below a directory is worth saving: not what dovecot compiles of filters, again whenever it is missing, and not what a
  /// restore has put aside or a killed one has left.
  public static func isSaved(_ name: String) -> Bool {
    !name.hasSuffix(".svbin") && !name.contains(asideMark) && !(name.hasPrefix(".") && name.hasSuffix(".mailhost"))
  }

  /// Where pigeonhole keeps what it has compiled of a filter: beside it, and beside the link that it was opened by.
  public static func compiled(of entry: SnapshotEntry, at path: String) -> [String] {
    let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let scripts = [path] + (entry.kind == .link ? [directory + entry.target] : [])
    return scripts.filter { $0.hasSuffix(".sieve") }.map { $0.dropLast("sieve".count) + "svbin" }
  }

  /// Between the name of a file that was put aside, and when.
  public static let asideMark = ".before-restore-"

  /// Whether a way leads down only, through names that a terminal can show.
  public static func isSafe(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.count < 4096
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { name in
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
          && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
      }
  }
}
