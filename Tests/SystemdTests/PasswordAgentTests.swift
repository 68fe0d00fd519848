import Foundation
import Linux
import SecretMemory
import Testing

@testable import Systemd

/// systemd's own agents answer.
@Suite(.enabled(if: geteuid() == 0, "only root may answer, and have a /run of its own"))
struct PasswordAgentTests {
  @Test func theProgramOfGraphicalAgentsAnswers() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    let agent = try Program("/lib/systemd/systemd-reply-password", ["1", directory.only("sck.")])
    try agent.send("from afar\n")
    let end = agent.end()
    #expect(end.status == 0, "\(end.output)")
    #expect(question.isReadable)
    #expect(try question.plainAnswer() == .secret(Array("from afar".utf8)))
  }

  @Test func theTerminalAgentAnswers() throws {
    let answer = try withPrivateRun { () throws -> PlainAnswer in
      try FileManager.default.createDirectory(atPath: "/run/systemd", withIntermediateDirectories: true)
      let question = try PasswordQuestion(message: "Passphrase of the vault")
      // It asks on a terminal only; `script` makes one.
      let agent = try Program(
        "/usr/bin/script", ["-q", "-e", "-c", "systemd-tty-ask-password-agent --query", "/dev/null"])
      // What is typed before it asks is thrown away, as on any terminal: typed again once a second.
      var looks = 0
      let answer = try eventually { () -> PlainAnswer? in
        if looks % 20 == 0 { try agent.type("typed there\n") }
        looks += 1
        let answer = try question.plainAnswer()
        return answer == .none ? nil : answer
      }
      question.withdraw()
      try agent.send("")
      let end = agent.end()
      guard end.output.contains("Passphrase of the vault") else { throw CocoaError(.fileReadUnknown) }
      return answer ?? .none
    }
    #expect(answer == .secret(Array("typed there".utf8)))
  }

  @Test func nothingOfAnAnswerIsLeftInMemory() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    // Here only the complement exists: the child that sends it makes it.
    let complement = (0..<32).map { _ in ~UInt8.random(in: 0x30...0x7E) }
    let digits = complement.map { String($0) }.joined(separator: ",")
    let sender = try Program(
      "/usr/bin/perl",
      [
        "-MSocket", "-e",
        "socket(S,AF_UNIX,SOCK_DGRAM,0); send(S,'+'.join('',map{chr(255-$_)}split(/,/,$ARGV[0])),0,sockaddr_un($ARGV[1]))",
        digits, try directory.only("sck."),
      ])
    #expect(sender.end().status == 0)
    #expect(question.isReadable)
    do {
      guard case .secret(let secret, _) = try question.receive() else {
        Issue.record("no answer")
        return
      }
      #expect(try occurrencesInOwnMemory(ofComplement: complement) == 1)
      #expect(secret.count == 32)
    }
    #expect(try occurrencesInOwnMemory(ofComplement: complement) == 0)
  }
}

/// How often the bytes whose complement is given are in this process's writable memory.
private func occurrencesInOwnMemory(ofComplement complement: [UInt8]) throws -> Int {
  let memory = open("/proc/self/mem", O_RDONLY)
  try #require(memory >= 0)
  defer { close(memory) }
  // Read by hand: such a file says that its size is 0.
  let maps = String(
    decoding: try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readToEnd() ?? Data(), as: UTF8.self)
  let size = 1 << 20
  let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
  defer { chunk.deallocate() }
  let base = try #require(chunk.baseAddress)
  let own = UInt(bitPattern: base)..<UInt(bitPattern: base + size)
  var count = 0
  for line in maps.split(separator: "\n") where line.contains(" rw") {
    let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    guard ends.count == 2 else { continue }
    var position = ends[0]
    while position < ends[1] {
      let length = pread(memory, base, min(size, Int(ends[1] - position)), Int(position))
      guard length > 0 else { break }
      var from = 0
      while from + complement.count <= length,
        let hit = memchr(base + from, Int32(~complement[0]), length - complement.count - from + 1)
      {
        let offset = base.distance(to: hit)
        // The buffer itself shows what was just read into it.
        if !own.contains(position + UInt(offset)),
          complement.indices.allSatisfy({ chunk[offset + $0] == ~complement[$0] })
        {
          count += 1
        }
        from = offset + 1
      }
      // Chunks overlap, so that a pattern over their border is seen.
      position += UInt(length == size ? size - complement.count + 1 : length)
    }
  }
  return count
}
