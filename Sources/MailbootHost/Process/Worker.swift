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
  ///
  /// - Parameter secrets: descriptors of the secrets that the verb wants, in their order.
  func begin(_ verb: WorkerVerb, _ request: some Encodable, secrets: [Int32] = []) throws(Failure) -> ChildProcess {
    let input: [UInt8]
    do {
      input = Array(try JSONText(encoding: request).line().utf8)
    } catch {
      throw .system("request to the worker: \(error)")
    }
    return try startChild([path, verb.rawValue], input: input, descriptors: secrets)
  }

  /// Starts it and hands it the one secret that the verb wants.
  func begin(
    _ verb: WorkerVerb, _ request: some Encodable, secret: borrowing SecretBytes
  ) throws(Failure) -> ChildProcess {
    let pipe = try SecretPipe()
    let child = try begin(verb, request, secrets: [pipe.readEnd])
    pipe.hand(secret)
    return child
  }

  /// Starts it and hands it two secrets, in this order.
  func begin(
    _ verb: WorkerVerb, _ request: some Encodable, secrets first: borrowing SecretBytes,
    _ second: borrowing SecretBytes
  ) throws(Failure) -> ChildProcess {
    let pipes = (try SecretPipe(), try SecretPipe())
    let child = try begin(verb, request, secrets: [pipes.0.readEnd, pipes.1.readEnd])
    pipes.0.hand(first)
    pipes.1.hand(second)
    return child
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

/// A way for one secret to a child.
final class SecretPipe {
  let readEnd: Int32
  private var writeEnd: Int32

  init() throws(Failure) {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  /// Once the child has its own end of it.
  func hand(_ secret: borrowing SecretBytes) {
    // With ours open a child that has ended would keep us waiting.
    close(readEnd)
    // A child that has ended without reading says why itself: a broken pipe is not the news.
    try? write(secret, to: writeEnd)
    close(writeEnd)
    writeEnd = -1
  }

  deinit {
    guard writeEnd >= 0 else { return }
    close(readEnd)
    close(writeEnd)
  }
}
