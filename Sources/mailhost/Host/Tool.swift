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
