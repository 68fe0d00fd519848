import Foundation

/// Runs blocking work on a thread of its own: waiting for a machine must not occupy Swift's few cooperative threads,
/// on which all tests run.
func offload<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(with: Swift.Result { try work() })
    }
  }
}
