import Foundation
import Synchronization

/// The qemu guest agent inside the machine: commands without a network or a console.
/// Source: the QEMU Guest Agent Protocol Reference, version 7.2.
final class GuestAgent: Sendable {
  private let channel: LineChannel
  /// Whether the next answer on the channel is certainly the one to the next request.
  private let inStep = Mutex(false)

  init(_ descriptor: Descriptor) {
    channel = LineChannel(descriptor)
  }

  /// Forgets what is under way: after another memory was put under the agent.
  func memoryWasReplaced() {
    inStep.withLock { $0 = false }
  }

  /// Waits until the agent answers.
  /// - Parameter gone: asked every few seconds: whether it never will.
  func waitUntilUp(timeout: Duration, unless gone: () -> Bool = { false }) throws {
    try inStep.withLock { try getInStep(&$0, Deadline(after: timeout), unless: gone) }
  }

  /// Executes an agent command and waits for its answer.
  func execute<Arguments: Encodable & Sendable, Value: Decodable & Sendable>(
    _ command: String, _ arguments: Arguments, timeout: Duration = .seconds(60)
  ) throws -> Value {
    let deadline = Deadline(after: timeout)
    return try inStep.withLock { inStep in
      try getInStep(&inStep, deadline)
      inStep = false
      try channel.send(Request(execute: command, arguments: arguments).line())
      guard let line = try channel.receiveLine(until: deadline) else {
        throw MachineError(.timedOut, "the guest agent did not answer \(command)")
      }
      let answer = try JSONDecoder().decode(Answer<Value>.self, from: Data(line))
      inStep = true
      if let error = answer.error { throw MachineError(.refused, "guest agent: \(command): \(error.desc)") }
      guard let value = answer.return else {
        throw MachineError(.refused, "guest agent: \(command): an answer without a result")
      }
      return value
    }
  }

  /// A byte that is never part of JSON: the agent drops what came before it, and marks its answer with it.
  private static let mark: UInt8 = 0xFF

  private func getInStep(_ inStep: inout Bool, _ deadline: Deadline, unless gone: () -> Bool = { false }) throws {
    struct Arguments: Encodable {
      let id: Int
    }
    guard !inStep else { return }
    while !deadline.hasPassed {
      if gone() { throw MachineError(.gone, "the guest's kernel does not run any more") }
      let id = Int.random(in: 1...Int(Int32.max))
      try channel.send([Self.mark] + Request(execute: "guest-sync-delimited", arguments: Arguments(id: id)).line())
      // Sent again now and then: an agent that starts may lose what arrives while it opens its port.
      let patience = Deadline(after: .seconds(10))
      while let line = try channel.receiveLine(until: deadline.instant < patience.instant ? deadline : patience) {
        guard let start = line.lastIndex(of: Self.mark) else { continue }
        let answer = try? JSONDecoder().decode(Answer<Int>.self, from: Data(line[(start + 1)...]))
        if answer?.return == id {
          inStep = true
          return
        }
      }
    }
    throw MachineError(.timedOut, "the guest agent did not answer")
  }
}
