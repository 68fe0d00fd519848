import Foundation

/// Our Debian package, as the machines install it.
public struct Package: Sendable {
  /// The `.deb` file.
  public let path: String
  /// Its SHA-256 in hexadecimal.
  let digest: String
  private let size: Int

  public init(_ path: String) throws {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    guard let size = (attributes[.size] as? NSNumber)?.intValue, size > 0 else {
      throw MachineError(.host, "\(path) is not a package")
    }
    self.path = path
    self.size = size
    digest = String(try HostCommand.run(["sha256sum", path]).prefix(64))
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

  private static let serial = "mailboot-deb"

  /// The file itself as a disk: the machine has no other way in for something this big.
  var drive: Hardware.Drive {
    Hardware.Drive(path: path, format: "raw", serial: Self.serial, readOnly: true)
  }

  /// Installs it in the guest, from the disk and from nowhere else.
  var installCommand: String {
    """
    set -e
    file=$(mktemp -d)/mailboot.deb
    head -c \(size) /dev/disk/by-id/virtio-\(Self.serial) >"$file"
    DEBIAN_FRONTEND=noninteractive dpkg --install "$file"
    rm -r "$(dirname "$file")"
    """
  }
}
