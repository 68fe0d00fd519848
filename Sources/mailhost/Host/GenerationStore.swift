import CLinux
import Glibc
import Linux
import MailHost

/// The generations in `/var/lib/mailhost`, of which one is the present one.
///
/// `current` names it. While `apply` changes the host's files, `pending` names the next one; whoever finds that file takes back what was
/// begun: every file it names is as it was before, from `before/`.
struct GenerationStore {
  static let directory = "/var/lib/mailhost"
  /// As many as people look back.
  private static let kept = 20

  let root: HostRoot

  private func directory(_ number: Int) -> String { "\(Self.directory)/generations/\(number)" }
  private static let ours = Generation.Attributes(mode: 0o600, owner: "root", group: "root")
  private static let readable = Generation.Attributes(mode: 0o644, owner: "root", group: "root")

  /// The number in a file of one number; nil when there is none.
  private func number(in name: String) throws(SystemError) -> Int? {
    guard let stored = try root.read("\(Self.directory)/\(name)") else { return nil }
    return Int(stored.text.filter { $0 != "\n" })
  }

  func currentNumber() throws(SystemError) -> Int? { try number(in: "current") }
  func pendingNumber() throws(SystemError) -> Int? { try number(in: "pending") }

  func current() throws(SystemError) -> Generation? {
    guard let number = try currentNumber() else { return nil }
    return try generation(number)
  }

  /// - Throws: when it is not there, or damaged.
  func generation(_ number: Int) throws(SystemError) -> Generation {
    let path = directory(number) + "/generation.json"
    guard let stored = try root.read(path) else { throw SystemError("there is no generation \(number)", code: ENOENT) }
    guard let generation = Generation(stored.bytes) else { throw SystemError("\(path) is damaged") }
    return generation
  }

  /// Newest first.
  func numbers() -> [Int] {
    (listDirectory(root.path("\(Self.directory)/generations")) ?? []).compactMap { Int($0) }.sorted(by: >)
  }

  /// A file of a generation as we wrote it.
  func text(_ path: String, of number: Int) throws(SystemError) -> String? {
    try root.read(directory(number) + "/files" + path)?.text
  }

  /// A file as it was before a generation; nil: it was not there.
  func before(_ entry: Generation.Entry, of number: Int) throws(SystemError) -> HostRoot.Stored? {
    guard let attributes = entry.before else { return nil }
    let path = "\(directory(number))/before\(entry.path)"
    guard let stored = try root.read(path) else { throw SystemError("\(path) is missing", code: ENOENT) }
    return HostRoot.Stored(bytes: stored.bytes, attributes: attributes)
  }

  /// Puts a generation there, whole: both sets of files, then what describes it.
  /// - Parameters:
  ///   - files: what each present file holds.
  ///   - before: what each file that was there held.
  func stage(
    _ generation: Generation, files: [String: [UInt8]], before: [String: [UInt8]]
  ) throws(SystemError) {
    let place = directory(generation.number)
    try root.make(HostDirectory(path: Self.directory, owner: "root", group: "root", mode: 0o755))
    // Configuration that only root may read can be among it.
    try root.make(
      HostDirectory(path: "\(Self.directory)/generations", owner: "root", group: "root", mode: 0o700))
    for (path, bytes) in files { try root.write("\(place)/files\(path)", bytes, Self.ours) }
    for (path, bytes) in before { try root.write("\(place)/before\(path)", bytes, Self.ours) }
    guard let text = try? generation.text() else {
      throw SystemError("generation \(generation.number) cannot be described")
    }
    try root.write("\(place)/generation.json", Array(text.utf8), Self.ours)
    try root.sync(Self.directory)
  }

  /// From now on the host is on its way to this generation.
  func begin(_ number: Int) throws(SystemError) {
    try root.write("\(Self.directory)/pending", Array("\(number)\n".utf8), Self.readable)
    try root.sync(Self.directory)
  }

  /// The host has arrived.
  func commit(_ number: Int) throws(SystemError) {
    try root.sync("/etc")
    try root.write("\(Self.directory)/current", Array("\(number)\n".utf8), Self.readable)
    try root.sync(Self.directory)
    try root.remove("\(Self.directory)/pending")
    try root.sync(Self.directory)
    prune()
  }

  /// Removes old generations, but for those that know how a file was before any of ours. Nothing depends on it.
  private func prune() {
    let numbers = numbers()
    var known: Set<String> = []
    var first: Set<Int> = []
    for number in numbers.reversed() {
      let paths = Set((try? generation(number))?.entries.map(\.path) ?? [])
      if !paths.isSubset(of: known) { first.insert(number) }
      known.formUnion(paths)
    }
    for old in numbers.dropFirst(Self.kept) where !first.contains(old) { try? removeTree(root.path(directory(old))) }
  }

  /// Every file of the generation is again as it was before it, and the host is no more on its way.
  func takeBack(_ number: Int) throws(SystemError) {
    let generation = try generation(number)
    for entry in generation.entries {
      if let stored = try before(entry, of: number) {
        try root.write(entry.path, stored.bytes, stored.attributes)
      } else {
        try root.remove(entry.path)
      }
    }
    try root.sync("/etc")
    try root.remove("\(Self.directory)/pending")
    try root.sync(Self.directory)
    try? removeTree(root.path(directory(number)))
  }

  /// What a killed run has left beside the names of files.
  private func removeTree(_ path: String) throws(SystemError) {
    for name in listDirectory(path) ?? [] {
      var status = stat()
      let entry = path + "/" + name
      guard lstat(entry, &status) == 0 else { continue }
      if isDirectory(status) { try removeTree(entry) } else { unlink(entry) }
    }
    guard rmdir(path) == 0 || errno == ENOENT else { throw SystemError("\(path): \(errnoText())", code: errno) }
  }

  private func isDirectory(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

  // MARK: Files that are to stay as the administrator has them

  func keptPaths() throws(SystemError) -> Set<String> {
    Set((try root.read("\(Self.directory)/kept")?.text ?? "").split(separator: "\n").map(String.init))
  }

  func keep(_ paths: Set<String>) throws(SystemError) {
    let text = paths.sorted().map { $0 + "\n" }.joined()
    try root.write("\(Self.directory)/kept", Array(text.utf8), Self.readable)
  }

  // MARK: What waits for the vault

  var isWaiting: Bool { fileStatus(root.path("\(Self.directory)/waiting")) != nil }

  func setWaiting(_ waits: Bool) throws(SystemError) {
    if waits {
      try root.write("\(Self.directory)/waiting", [], Self.readable)
    } else {
      try root.remove("\(Self.directory)/waiting")
    }
  }
}
