import Foundation

/// Makes everything that guests of some releases start from, ahead of time.
public enum MachineBuild {
  /// Makes the missing stages of native hosts, the releases side by side.
  /// - Parameters:
  ///   - package: what is installed in them; `nil` for bare hosts, which nobody has configured.
  ///   - report: called with a line for people about each stage.
  public static func hosts(
    _ releases: [Release], with package: Package?, report: @escaping @Sendable (String) -> Void
  ) async throws {
    try await sideBySide(releases) { release, cache in
      _ = try HostTrees(release, in: cache, report: report).layers(with: package)
    }
  }

  /// Makes the missing stages of emulated machines like ``hosts(_:with:report:)``.
  public static func machines(
    _ releases: [Release], with package: Package, report: @escaping @Sendable (String) -> Void
  ) async throws {
    try await sideBySide(releases) { release, cache in
      _ = try MachineImages(release, in: cache, report: report).locked(with: package)
    }
  }

  /// Whether KVM really runs a machine here; makes the system for that when it is not known yet.
  public static func runsMachinesAtFullSpeed(
    _ release: Release, report: @escaping @Sendable (String) -> Void
  ) async throws -> Bool {
    try await offload {
      guard access("/dev/kvm", R_OK | W_OK) == 0 else { return false }
      let cache = try MachineCache()
      let tree = try HostTrees(release, in: cache, report: report).system().directory + "/layer"
      let kernels = try FileManager.default.contentsOfDirectory(atPath: tree + "/boot")
      guard let kernel = kernels.first(where: { $0.hasPrefix("vmlinuz-") }) else {
        throw MachineError(.host, "there is no kernel in \(tree)/boot")
      }
      let initrd = NSTemporaryDirectory() + "/mailboot-machine." + UUID().uuidString
      defer { try? FileManager.default.removeItem(atPath: initrd) }
      let version = String(kernel.dropFirst("vmlinuz-".count))
      try HostCommand.run([Repository.machineDirectory() + "/lib/initrd", tree, version, initrd])
      return try AcceleratorProbe(cache: cache).choose(kernel: "\(tree)/boot/\(kernel)", initrd: initrd) == .kvm
    }
  }

  private static func sideBySide(
    _ releases: [Release], _ build: @escaping @Sendable (Release, MachineCache) throws -> Void
  ) async throws {
    let cache = try MachineCache()
    try await withThrowingTaskGroup { group in
      for release in releases {
        group.addTask { try await offload { try build(release, cache) } }
      }
      try await group.waitForAll()
    }
  }
}
