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
