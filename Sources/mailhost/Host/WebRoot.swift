import Linux
import MailHost

/// The directory that a web server of the administrator's serves. Directories that are there stay as they are; no way leads through a
/// symbolic link.
struct WebRoot {
  let path: String
  private let root: HostRoot

  /// One of our files in it.
  struct File {
    /// Below the web root, with a slash.
    var path: String
    var bytes: [UInt8]
    /// Whether what is there is one of ours, which may be replaced.
    var isOurs: (HostRoot.Stored) -> Bool
    /// Whether what is there says the same, although its bytes are others.
    var isSame: (HostRoot.Stored) throws(HostFailure) -> Bool = { _ in false }
  }

  /// - Throws: when the settings name none, or it is not there.
  init(_ settings: HostSettings, _ root: HostRoot) throws(HostFailure) {
    guard let path = settings.web.root else {
      throw HostFailure(
        .failed, "there is no web root in the settings",
        hint: "`root` in [web] of mailhost.toml is the directory that your web server serves; see mailhost.toml(5)")
    }
    guard root.directory(path) != nil else {
      throw HostFailure(
        .failed, "the web root \(path) is not there, or is no directory; nothing was made",
        hint: "`mkdir -p \(root.path(path))`, or another `root` in [web] of mailhost.toml")
    }
    self.path = path
    self.root = root
  }

  private static let attributes = Generation.Attributes(mode: 0o644, owner: "root", group: "root")

  /// What is there of a file of ours.
  func stored(_ name: String) throws(HostFailure) -> HostRoot.Stored? {
    try explained { () throws(SystemError) in try root.read(path + name) }
  }

  /// Those that are not as they are to be.
  /// - Throws: when one of them is somebody else's, and is not named in `overwrite`.
  func due(_ files: [File], overwrite: [String]) throws(HostFailure) -> [File] {
    var due: [File] = []
    for file in files {
      if let there = try stored(file.path) {
        var isSame = there.bytes == file.bytes
        if !isSame { isSame = try file.isSame(there) }
        if isSame, there.attributes == Self.attributes { continue }
        guard isSame || overwrite.contains(path + file.path) || file.isOurs(there) else {
          throw HostFailure(
            .undecided, "\(path)\(file.path) was not written by mailhost; nothing was changed",
            hint: "`--overwrite \(path)\(file.path)` replaces it")
        }
      }
      due.append(file)
    }
    return due
  }

  func write(_ file: File) throws(HostFailure) {
    try explained { () throws(SystemError) in try root.write(path + file.path, file.bytes, Self.attributes) }
  }

  /// Why others than root could tell mail programs something else; nil when nobody can.
  var untrusted: String? { untrustedReason(root.path(path)) }
}
