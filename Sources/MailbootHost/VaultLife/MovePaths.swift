import CLinux
import Glibc
import Linux
import MailbootCore

/// The files that say which vault is used, which one comes, and which one was before.
public struct MovePaths: Sendable {
  /// Written by `mailboot vault create --next`.
  public let next: String
  /// The table that counts.
  public let current: String
  /// The table before the last move, kept until told.
  public let previous: String

  /// - Parameter main: the main file of the configuration; nil: the standard one.
  public init(main: String?) {
    let main = main ?? mailbootSettingsPath
    let prefix = parentDirectory(of: main)
    next = prefix + "/next-vault.toml"
    previous = prefix + "/previous-vault.toml"
    current = main + ".d/50-vault.toml"
  }

  public func has(_ path: String) -> Bool { fileStatus(path) != nil }

  func read(_ path: String) -> [UInt8]? { readSmallFile(path, flags: O_NOFOLLOW) }

  private static let noted = "# Header's UUID: "

  /// A table with a line that says which volume it is about, in place of those that it has; nil: its UUID is not known.
  func noting(_ uuid: String?, in table: String) -> String {
    (uuid.map { "\(Self.noted)\($0)\n" } ?? "") + Self.plain(table)
  }

  /// A table without what is noted there.
  private static func plain(_ table: String) -> String {
    table.split(separator: "\n").filter { !$0.hasPrefix(noted) }.joined(separator: "\n") + "\n"
  }

  func text(_ path: String) -> String? { read(path).map { String(decoding: $0, as: UTF8.self) } }

  /// What the table before says, without what is noted there.
  var previousTable: String? { text(previous).map(Self.plain) }

  /// The UUID in the header of the vault before; nil: it was not noted, or it has none.
  public var previousUUID: String? {
    text(previous)?.split(separator: "\n").first { $0.hasPrefix(Self.noted) }
      .map { String($0.dropFirst(Self.noted.count)) }
  }

  func write(_ path: String, _ text: [UInt8]) throws(Failure) {
    do {
      try replaceFile(path, with: text, temporary: path + ".new", durable: true)
    } catch {
      throw Failure(error)
    }
    try settleName(of: path)
  }

  /// The switch: one rename.
  func takeNext() throws(Failure) {
    let directory = parentDirectory(of: current)
    if mkdir(directory, 0o755) != 0 && errno != EEXIST { throw .system("\(directory): \(errnoText())") }
    guard rename(next, current) == 0 else { throw .system("\(current): \(errnoText())") }
    try settleName(of: next)
    try settleName(of: current)
  }

  /// Previous and current change places in one step.
  func exchange() throws(Failure) {
    guard mb_exchange(previous, current) == 0 else { throw .system("\(current): \(errnoText())") }
    try settleName(of: previous)
    try settleName(of: current)
  }

  /// Nothing is known any more of the vault before.
  public func forget() throws(Failure) { try remove(previous) }

  func remove(_ path: String) throws(Failure) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("\(path): \(errnoText())") }
    try settleName(of: path)
  }

  private func settleName(of path: String) throws(Failure) { try settleNames(in: parentDirectory(of: path)) }
}
