import Glibc
import Linux

/// What another program said.
struct ToolOutput {
  var status: Int32
  var bytes: [UInt8]
  var errors: String

  var output: String { String(decoding: bytes, as: UTF8.self) }

  /// The last lines of what it complained about.
  var evidence: [String] {
    let said = errors.isEmpty ? output : errors
    return said.split(separator: "\n").suffix(12).map(String.init)
  }
}

/// Runs a program to its end; past the time it is ended.
/// - Throws: when it cannot be run, or takes longer.
func run(_ arguments: [String], input: [UInt8] = [], seconds: Double = 60) throws(HostFailure) -> ToolOutput {
  let child: ChildProcess
  do throws(SystemError) {
    child = try ChildProcess(arguments, input: input)
  } catch {
    throw HostFailure(.failed, error.text)
  }
  let end = child.wait(until: monotonicSeconds() + seconds)
  var said = ToolOutput(status: -1, bytes: child.output, errors: child.errorOutput)
  guard case .exited(let status) = end else {
    throw HostFailure(
      .failed, "\(child.name) did not end by itself within \(Int(seconds)) s", evidence: said.evidence)
  }
  said.status = status
  return said
}

/// Runs a program that may say more than is to be held in memory.
/// - Parameter take: gets its output piece by piece; what it throws ends the program.
/// - Returns: its status and its complaints.
func run(
  _ arguments: [String], seconds: Double, take: ([UInt8]) throws(HostFailure) -> Void
) throws(HostFailure) -> ToolOutput {
  let child: ChildProcess
  do throws(SystemError) {
    child = try ChildProcess(arguments)
  } catch {
    throw HostFailure(.failed, error.text)
  }
  let deadline = monotonicSeconds() + seconds
  var hasEnded = false
  while !hasEnded {
    var descriptors = child.pollDescriptors
    // Without a descriptor of the process its end is seen by looking.
    poll(&descriptors, nfds_t(descriptors.count), child.processDescriptor < 0 ? 50 : 1000)
    hasEnded = child.pump()
    try take(child.takeOutput())
    guard monotonicSeconds() < deadline else {
      child.killAndReap()
      throw HostFailure(.failed, "\(child.name) did not end by itself within \(Int(seconds)) s")
    }
  }
  var said = ToolOutput(status: -1, bytes: [], errors: child.errorOutput)
  guard case .exited(let status) = child.end else {
    throw HostFailure(.failed, "\(child.name) was killed", evidence: said.evidence)
  }
  said.status = status
  return said
}

/// Runs a program that must succeed.
@discardableResult
func succeed(
  _ arguments: [String], input: [UInt8] = [], seconds: Double = 60, hint: String? = nil
) throws(HostFailure) -> ToolOutput {
  let said = try run(arguments, input: input, seconds: seconds)
  guard said.status == 0 else {
    throw HostFailure(
      .failed,
      "`\(arguments.map { $0.hasPrefix("/") ? String($0.split(separator: "/").last ?? "") : $0 }.joined(separator: " "))` "
        + "failed with status \(said.status)", evidence: said.evidence, hint: hint)
  }
  return said
}
