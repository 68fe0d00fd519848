import Glibc
import JSON
import Linux
import MailbootCore

/// The largest request that is read, bytes: it may have the names of a million domains.
private let requestLimit = 64 << 20

/// Reads a request from standard input, lets `work` answer it and writes the reply as one line to standard output.
func answer<Request: Decodable, Reply: Encodable>(_ work: (Request) -> Reply) throws(WorkerFailure) {
  guard let json = JSONText(parsing: try readRequest()) else {
    throw WorkerFailure(status: WorkerExit.usage, text: "the request is not JSON")
  }
  let request: Request
  do {
    request = try json.decoded(as: Request.self)
  } catch {
    throw WorkerFailure(status: WorkerExit.usage, text: "not a request for this verb: \(error)")
  }
  let reply: String
  do {
    reply = try JSONText(encoding: work(request)).line()
  } catch {
    throw WorkerFailure(status: WorkerExit.failure, text: "cannot encode the reply: \(error)")
  }
  try writeReply(Array((reply + "\n").utf8))
}

private func readRequest() throws(WorkerFailure) -> [UInt8] {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(STDIN_FILENO, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count < 0 {
      if errno == EINTR { continue }
      throw WorkerFailure(status: WorkerExit.failure, text: "cannot read the request: \(errnoText())")
    }
    bytes.append(contentsOf: chunk[..<count])
    guard bytes.count <= requestLimit else {
      throw WorkerFailure(status: WorkerExit.usage, text: "the request is longer than \(requestLimit) bytes")
    }
  }
}

private func writeReply(_ bytes: [UInt8]) throws(WorkerFailure) {
  var done = 0
  while done < bytes.count {
    let count = bytes[done...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    if count >= 0 {
      done += count
    } else if errno != EINTR {
      throw WorkerFailure(status: WorkerExit.failure, text: "cannot write the reply: \(errnoText())")
    }
  }
}
