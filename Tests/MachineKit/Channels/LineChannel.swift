import Foundation
import Synchronization

/// A socket on which both sides speak in lines of JSON: qemu's monitor and the guest agent.
final class LineChannel: Sendable {
  private let descriptor: Descriptor
  private let buffer = Mutex<[UInt8]>([])

  init(_ descriptor: Descriptor) {
    self.descriptor = descriptor
  }

  /// Sends bytes as they are; the caller ends its line.
  func send(_ bytes: [UInt8]) throws {
    try descriptor.sendAll(bytes)
  }

  /// Receives the next line, without its newline.
  /// - Returns: `nil` when the deadline passed first.
  func receiveLine(until deadline: Deadline) throws -> [UInt8]? {
    try buffer.withLock { buffer in
      var searched = 0
      while true {
        if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
          let line = Array(buffer[..<end])
          buffer.removeFirst(end + 1)
          return line
        }
        searched = buffer.count
        guard try descriptor.waitForInput(until: deadline) else { return nil }
        let some = try descriptor.readSome()
        guard !some.isEmpty else { throw MachineError(.gone, "the machine is off") }
        buffer += some
      }
    }
  }
}

/// A request in the form that both QMP and the guest agent take.
struct Request<Arguments: Encodable>: Encodable {
  let execute: String
  let arguments: Arguments?

  func line() throws -> [UInt8] {
    try [UInt8](JSONEncoder().encode(self)) + [UInt8(ascii: "\n")]
  }
}

/// The answer to a ``Request``; events have neither member.
struct Answer<Value: Decodable>: Decodable {
  struct Failure: Decodable {
    let desc: String
  }

  let `return`: Value?
  let error: Failure?
  let event: String?
}

/// Arguments that are none, or an answer of no interest.
struct Nothing: Codable, Sendable {
  init() {}
  init(from decoder: any Decoder) throws {}
  func encode(to encoder: any Encoder) throws {
    _ = encoder.container(keyedBy: Key.self)
  }

  private enum Key: CodingKey {}
}
