/// A process that keeps the vault's file system in use.
public struct Holder: Equatable, Sendable {
  public enum Use: String, Sendable {
    case workingDirectory = "working directory"
    case root = "root directory"
    case program
    case file = "open file"
    case mapping = "mapped file"
    case socket
    /// The vault's block device itself, as a backup of the whole disk has it open.
    case device = "open device"
    /// A mount namespace of its own has the vault mounted, and an unmount does not reach there.
    case namespace = "mounted in a namespace of its own"
  }

  public var pid: Int32
  /// The kernel's short name of the process (`comm`).
  public var command: String
  public var user: String
  /// The systemd unit it belongs to.
  public var unit: String?
  /// One use of possibly many.
  public var use: Use
  /// The path in use, as the process sees it.
  public var place: String
  /// Whether `mailboot` itself was started from it: the shell somebody sits in.
  public var isAncestor: Bool

  public init(
    pid: Int32, command: String, user: String, unit: String?, use: Use, place: String, isAncestor: Bool = false
  ) {
    self.pid = pid
    self.command = command
    self.user = user
    self.unit = unit
    self.use = use
    self.place = place
    self.isAncestor = isAncestor
  }

  /// `bash, process 812 of root in session-3.scope: working directory /vault/vmail`.
  public var line: String {
    "\(command), process \(pid) of \(user)" + (unit.map { " in \($0)" } ?? "") + ": \(use.rawValue) \(place)"
  }
}

/// What keeps the vault in use and is no process.
public enum Obstacle: Equatable, Sendable {
  /// The vault's file system is also mounted there.
  case mount(String)
  /// Something else is mounted over the vault at its own mount point.
  case covered(String, by: String)
  /// A loop device lies on a file in the vault.
  case loop(device: String, file: String)
  case swap(file: String)
  /// A block device lies on the mapping.
  case device(String)
  /// The kernel says so, and nothing that can be seen is the cause.
  case unseen(String)

  public var line: String {
    switch self {
    case .mount(let path): "also mounted on \(path)"
    case .covered(let path, let source): "\(source) is mounted over it on \(path)"
    case .loop(let device, let file): "\(device) lies on \(file)"
    case .swap(let file): "swap space \(file)"
    case .device(let name): "the device \(name) lies on the mapping"
    case .unseen(let text): text
    }
  }
}

/// Who and what keeps the vault in use.
public struct VaultUse: Equatable, Sendable {
  public var holders: [Holder]
  public var obstacles: [Obstacle]

  public init(holders: [Holder] = [], obstacles: [Obstacle] = []) {
    self.holders = holders
    self.obstacles = obstacles
  }

  public var isEmpty: Bool { holders.isEmpty && obstacles.isEmpty }

  /// Lines that name them, at most `limit` and one that counts the rest.
  public func lines(limit: Int = 10) -> [String] {
    let all = obstacles.map(\.line) + holders.map(\.line)
    return all.count <= limit ? all : all.prefix(limit) + ["and \(all.count - limit) more"]
  }

  /// `2 processes and 1 other use`.
  var count: String {
    var parts: [String] = []
    if !holders.isEmpty { parts.append("\(holders.count) \(holders.count == 1 ? "process" : "processes")") }
    if !obstacles.isEmpty { parts.append("\(obstacles.count) other \(obstacles.count == 1 ? "use" : "uses")") }
    return parts.joined(separator: " and ")
  }
}
