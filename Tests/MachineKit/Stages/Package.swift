import Foundation

/// Our Debian package, as the machines install it.
public struct Package: Sendable {
  /// The `.deb` file.
  public let path: String
  /// Its SHA-256 in hexadecimal.
  let digest: String

  public init(_ path: String) throws {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    guard let size = (attributes[.size] as? NSNumber)?.intValue, size > 0 else {
      throw MachineError(.host, "\(path) is not a package")
    }
    self.path = path
    digest = String(try HostCommand.run(["sha256sum", path]).prefix(64))
  }

  /// Of the parts that make a mail host: `mailhost` and its templates.
  func makerDigest() throws -> String {
    try MakerDigests.shared.digest(of: digest) { try readMakerDigest() }
  }

  private func readMakerDigest() throws -> String {
    try HostCommand.run([
      "sh", "-c",
      """
      set -e
      dpkg-deb --fsys-tarfile \(shellQuoted(path)) |
        tar --extract --to-stdout --wildcards ./usr/sbin/mailhost './usr/share/mailboot/templates/*' | sha256sum
      """,
    ])
  }

  /// Finds the package: `MAILBOOT_DEB`, or the newest in the repository's `dist`.
  public static func find() throws -> Package {
    if let given = ProcessInfo.processInfo.environment["MAILBOOT_DEB"], !given.isEmpty { return try Package(given) }
    let directory = Repository.root + "/dist"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let packages = names.filter { $0.hasSuffix(".deb") }.map { URL(fileURLWithPath: "\(directory)/\($0)") }
    let newest = try packages.max { first, second in
      let dates = try [first, second].map {
        try $0.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate ?? .distantPast
      }
      return dates[0] < dates[1]
    }
    guard let newest else {
      throw MachineError(.host, "there is no package in \(directory): run 'make deb', or set MAILBOOT_DEB")
    }
    return try Package(newest.path)
  }
}

/// What was read of packages. Each scene asks, sixty of them at once, and unpacking takes seconds.
private final class MakerDigests: @unchecked Sendable {
  // @unchecked: the lock guards the rest.
  static let shared = MakerDigests()
  private let lock = NSLock()
  private var known: [String: String] = [:]

  /// One reads, and the others wait for it.
  func digest(of package: String, _ read: () throws -> String) throws -> String {
    try lock.withLock {
      if let digest = known[package] { return digest }
      let digest = try read()
      known[package] = digest
      return digest
    }
  }
}
