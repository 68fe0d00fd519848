/// Makes everything that guests of some releases start from, ahead of time.
public enum MachineBuild {
  /// Makes the missing stages of native hosts, the releases side by side.
  /// - Parameters:
  ///   - package: what is installed in them; `nil` for hosts without our package.
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
    _ releases: [Release], with package: Package?, report: @escaping @Sendable (String) -> Void
  ) async throws {
    try await sideBySide(releases) { release, cache in
      _ = try MachineImages(release, in: cache, report: report).locked(with: package)
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
