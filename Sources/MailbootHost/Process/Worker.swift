import CLinux
import Glibc
import JSON
import Linux
import MailbootCore
import SecretMemory

/// Runs `mailboot-worker`.
struct Worker {
  let path: String

  init() throws(Failure) { path = try InstalledProgram.worker.path() }

  init(path: String) { self.path = path }

  /// Starts it on a request; `reply` reads the answer when it has ended.
  func begin(_ verb: WorkerVerb, _ request: some Encodable, passphrase descriptor: Int32? = nil) throws(Failure)
    -> ChildProcess
  {
    let input: [UInt8]
    do {
      input = Array(try JSONText(encoding: request).line().utf8)
    } catch {
      throw .system("request to the worker: \(error)")
    }
    return try startChild([path, verb.rawValue], input: input, descriptor3: descriptor)
  }

  /// The answer of a worker that has ended.
  func reply<Reply: Decodable>(_ type: Reply.Type, of child: ChildProcess) throws(Failure) -> Reply {
    guard child.end == .exited(0) else { throw .system(Self.complaint(child)) }
    guard let json = JSONText(parsing: child.output) else { throw .system("the worker's answer is not JSON") }
    do {
      return try json.decoded(as: type)
    } catch {
      throw .system("the worker's answer is not understood: \(error)")
    }
  }

  /// One request, waited for.
  func ask<Reply: Decodable>(
    _ verb: WorkerVerb, _ request: some Encodable, as type: Reply.Type, reactor: Reactor, timeout: Double
  ) throws(Failure) -> Reply {
    let child = try begin(verb, request)
    _ = try child.run(reactor, until: Reactor.monotonic() + timeout)
    return try reply(type, of: child)
  }

  static func complaint(_ child: ChildProcess) -> String {
    let said = child.errorOutput.split(separator: "\n").suffix(3).joined(separator: "; ")
    let how: String
    switch child.end {
    case .exited(let code)?: how = "ended with status \(code)"
    case .killed(let signal)?: how = "was ended by signal \(signal)"
    case nil: how = "did not end"
    }
    return "\(child.name) \(how)" + (said.isEmpty ? "" : ": \(said)")
  }
}
