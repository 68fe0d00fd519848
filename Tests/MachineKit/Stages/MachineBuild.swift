/// Makes everything that machines of some releases start from, ahead of time.
public enum MachineBuild {
  /// Makes the missing stages, the releases side by side.
  /// - Parameters:
  ///   - package: what is installed in the machines; `nil` for machines without our package.
  ///   - report: called with a line for people about each stage.
  public static func run(
    _ releases: [Release], with package: Package?, report: @escaping @Sendable (String) -> Void
  ) async throws {
    let cache = try MachineCache()
    try await withThrowingTaskGroup { group in
      for release in releases {
        group.addTask {
          try await offload { _ = try MachineImages(release, in: cache, report: report).locked(with: package) }
        }
      }
      try await group.waitForAll()
    }
  }
}
