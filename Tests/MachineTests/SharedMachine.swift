import MachineKit
import Testing

/// Gives all tests of a suite one machine, and puts it back into its locked beginning before each of them.
///
/// A second instead of several for each test; the suite must be `.serialized`. Such tests may do anything to the machine
/// but plug in drives: those belong to no state.
struct SharedMachine: SuiteTrait, TestTrait, TestScoping {
  let release: Release
  var isRecursive: Bool { true }

  @TaskLocal private static var running: Machine?
  private static let beginning = "beginning"

  /// The machine of the suite that the current test belongs to.
  static var machine: Machine {
    get throws { try #require(running, "the suite has no .machine(…)") }
  }

  // Once around the suite, which has no test case, and once around each case in it.
  func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    test.isSuite || testCase != nil ? self : nil
  }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard test.isSuite else {
      try await Self.machine.restore(Self.beginning)
      try await function()
      return
    }
    let machine = try await Machine.fresh(release)
    defer { machine.close() }
    try await machine.saveState(Self.beginning)
    try await Self.$running.withValue(machine) { try await function() }
  }
}

extension Trait where Self == SharedMachine {
  /// One machine of this release for the whole suite; see ``SharedMachine``.
  static func machine(_ release: Release) -> Self { SharedMachine(release: release) }
}
