import FoundationEssentials
import Glibc

/// The largest request that is read, bytes.
private let requestLimit = 1 << 20

/// Reads a request from standard input, lets `work` answer it and writes the reply as one line to standard output.
func answer<Request: Decodable, Reply: Encodable>(_ work: (Request) -> Reply) throws(WorkerFailure) {
  let bytes = try readRequest()
  let request: Request
  do {
    request = try JSONDecoder().decode(Request.self, from: bytes)
  } catch {
    throw WorkerFailure(status: WorkerExit.usage, text: "not a request for this verb: \(error)")
  }
  var reply: Data
  do {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    reply = try encoder.encode(work(request))
  } catch {
    throw WorkerFailure(status: WorkerExit.failure, text: "cannot encode the reply: \(error)")
  }
  reply.append(0x0A)
  try writeReply(reply)
}

private func readRequest() throws(WorkerFailure) -> Data {
  var bytes = Data()
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(STDIN_FILENO, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count < 0 {
      if errno == EINTR { continue }
      throw WorkerFailure(status: WorkerExit.failure, text: "cannot read the request: \(errorText(errno))")
    }
    bytes.append(contentsOf: chunk[..<count])
    guard bytes.count <= requestLimit else {
      throw WorkerFailure(status: WorkerExit.usage, text: "the request is longer than \(requestLimit) bytes")
    }
  }
}

private func writeReply(_ reply: Data) throws(WorkerFailure) {
  let bytes = [UInt8](reply)
  var done = 0
  while done < bytes.count {
    let count = bytes[done...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    if count >= 0 {
      done += count
    } else if errno != EINTR {
      throw WorkerFailure(status: WorkerExit.failure, text: "cannot write the reply: \(errorText(errno))")
    }
  }
}
