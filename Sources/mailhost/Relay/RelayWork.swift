import CLinux
import Console
import Glibc
import Linux
import MailHost
import Text

/// What `mailhost relay` has to do: what is to be, this machine, and the difference.
struct RelayWork {
  let settings: RelaySettings
  let files: [RenderedFile]
  let root = HostRoot(prefix: "")
  /// Whether the package of postfix came just now: what it has put there is nobody's.
  var isFresh = false
  var keep: Set<String> = []
  var overwrite: Set<String> = []
  /// Whether another password is to be asked for, though there is one.
  var asksAnew = false

  /// What differs, and the files as they are.
  struct Seen {
    var plan = HostPlan()
    var present: [String: HostRoot.Stored] = [:]
    /// Whether the password has to be asked for.
    var needsPassword = false
  }

  init(_ settings: RelaySettings, templates: TemplateSource) throws(HostFailure) {
    self.settings = settings
    let machine = Self.machine()
    if let problem = settings.problem(on: machine) {
      throw HostFailure(
        .failed, "\(problem): its mail cannot go through \(settings.host)",
        hint: "`hostname` shows the name; another one is in /etc/hostname")
    }
    do {
      files = try settings.render(on: machine, templates: templates)
    } catch {
      throw HostFailure(.failed, error.text, hint: "reinstall the package mailboot")
    }
  }

  /// The machine's name, with its domain where it has one.
  private static func machine() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
    if name.contains(".") { return name }
    // The line of /etc/hosts that Debian's installer writes: `127.0.1.1 web1.example.net web1`.
    for line in (readSmallText("/etc/hosts") ?? "").split(separator: "\n") {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
      if words.dropFirst().contains(name), let full = words.dropFirst().first(where: { $0.hasPrefix(name + ".") }) {
        return full
      }
    }
    if let full = canonicalName(of: name) { return full }
    // A resolver that does not answer now is no reason for another name than last time.
    let last = MainCF(readSmallText("/etc/postfix/main.cf") ?? "").values["myhostname"] ?? ""
    return last.hasPrefix(name + ".") && RelaySettings.isMachineName(last) ? last : name
  }

  /// What `hostname -f` says, and programs go by: also a name that the DNS alone knows.
  private static func canonicalName(of name: String) -> String? {
    var hints = addrinfo()
    hints.ai_flags = AI_CANONNAME
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &found) == 0, let found else { return nil }
    defer { freeaddrinfo(found) }
    guard let text = found.pointee.ai_canonname else { return nil }
    let full = String(cString: text).lowercased()
    return RelaySettings.isMachineName(full) ? full : nil
  }

  var store: GenerationStore { GenerationStore(root: root) }

  func observe() throws(HostFailure) -> Seen {
    var seen = Seen()
    let installed = InstalledPackages.read("/var/lib/dpkg/status")
    let missing = RelaySettings.packages.filter { installed.version($0) == nil }
    seen.plan.changes += missing.map { HostChange(.package, .install, $0) }
    let kept = try explained { () throws(SystemError) in try store.keptPaths() }.union(keep).subtracting(overwrite)
    let current = try explained { () throws(SystemError) in try store.current() }
    for file in files {
      let path = file.file.path
      let there = try explained { () throws(SystemError) in try root.read(path) }
      seen.present[path] = there
      let written = try explained { () throws(SystemError) in
        try current.flatMap { generation throws(SystemError) in try store.text(path, of: generation.number) }
      }
      // What we were told is no edit of anybody's: the file is for the next call.
      let isStock =
        isFresh || path == RelaySettings.path
        || there.map { StockFiles.contains(file.file, text: $0.text, knownMD5: []) } ?? false
      let state = state(of: file, onDisk: there?.text, lastWritten: written, isStock: isStock)
      if let change = change(file, there, state, isKept: kept.contains(path)) { seen.plan.changes.append(change) }
    }
    let hasPassword = try RelayPassword.isThere(settings)
    seen.needsPassword = asksAnew || !hasPassword
    if seen.needsPassword {
      seen.plan.changes.append(
        HostChange(
          .file, .create, settings.passwordPath, reason: "the password of \(settings.login), for root alone"))
    }
    let wants = "/etc/systemd/system/multi-user.target.wants/postfix.service"
    var status = stat()
    if Services.isThere, missing.isEmpty, lstat(wants, &status) != 0 {
      seen.plan.changes.append(HostChange(.unit, .enable, "postfix"))
    }
    return seen
  }

  private func change(
    _ file: RenderedFile, _ there: HostRoot.Stored?, _ state: FileState, isKept: Bool
  ) -> HostChange? {
    let path = file.file.path
    let diff = there.map { UnifiedDiff.lines($0.text, file.text, context: 2) } ?? []
    if isKept, ![.same, .absent].contains(state) {
      return HostChange(.file, .keep, path, reason: "stays as you have it", diff: diff)
    }
    switch state {
    case .absent: return HostChange(.file, .create, path)
    case .same, .package: return nil
    case .ours: return HostChange(.file, .change, path, diff: diff)
    case .stock:
      let reason = path == RelaySettings.path ? nil : "is the package's own"
      return HostChange(.file, .change, path, reason: reason, diff: diff)
    case .edited, .foreign:
      let reason = state == .edited ? "was edited since we wrote it" : "is not ours"
      return HostChange(.file, overwrite.contains(path) ? .change : .decide, path, reason: reason, diff: diff)
    }
  }

  /// Takes back what a call that was killed had begun.
  static func settle(_ root: HostRoot) throws(HostFailure) {
    let store = GenerationStore(root: root)
    try explained { () throws(SystemError) in try PackageInstaller(root: root).allow() }
    let (pending, current) = try explained { () throws(SystemError) in
      (try store.pendingNumber(), try store.currentNumber())
    }
    guard let pending else { return }
    if pending == current {
      try explained { () throws(SystemError) in try store.commit(pending) }
      return
    }
    try explained { () throws(SystemError) in try store.takeBack(pending) }
    tell("note: an earlier call was interrupted: what it had begun was taken back")
    try RelayApplier.tellPostfix(evenIfDown: false)
  }

  /// The generation that comes of it, and its files.
  func generation(_ seen: Seen) -> (Generation, [String: [UInt8]]) {
    let kept = Set(seen.plan.changes.filter { [.keep, .decide].contains($0.action) }.map(\.subject))
    var entries: [Generation.Entry] = []
    var texts: [String: [UInt8]] = [:]
    for file in files where !kept.contains(file.file.path) {
      texts[file.file.path] = Array(file.text.utf8)
      entries.append(
        Generation.Entry(
          path: file.file.path,
          present: Generation.Attributes(mode: file.file.mode, owner: file.file.owner, group: file.file.group),
          before: seen.present[file.file.path]?.attributes, reader: file.file.reader.rawValue))
    }
    let version = InstalledPackages.read("/var/lib/dpkg/status").version("postfix") ?? "-"
    return (
      Generation(
        number: (store.numbers().first ?? 0) + 1, at: timestamp(wallSeconds()), reason: "relay",
        versions: "postfix \(version)",
        entries: entries), texts
    )
  }
}
