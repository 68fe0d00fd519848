import CLinux
import Foundation
import Testing

@testable import Systemd

@Suite struct PasswordQuestionTests {
  @Test func agentsFindWhatTheyNeed() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask("Passphrase of\nthe vault\\", notAfter: 42)
    let fields = try directory.question()
    #expect(
      fields == [
        "PID": "\(getpid())", "Socket": try directory.only("sck."), "AcceptCached": "0", "Echo": "0", "NotAfter": "42",
        "Message": "Passphrase of the vault", "Icon": "drive-harddisk", "Id": "mailboot:vault",
      ])
    #expect(try directory.mode(directory.only("ask.")) == 0o644)
    #expect(try directory.mode(directory.only("sck.")) == 0o600)
    #expect(try directory.names().count == 2)
    question.withdraw()
  }

  @Test func theDirectoryIsMadeWhenItIsMissing() throws {
    let directory = try QuestionDirectory()
    let question = try PasswordQuestion(message: "Passphrase", directory: directory.path + "/new")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/new").count == 2)
    question.withdraw()
  }

  @Test(arguments: [
    ("+secret", "secret"), ("+secret\0", "secret"), ("+pä ß", "pä ß"), ("+first\0second\0", "first"), ("+", ""),
    ("+\0", ""),
  ])
  func theFirstAnswerIsTakenWithoutTheProtocolsBytes(_ sent: String, _ expected: String) throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    #expect(try question.plainAnswer() == .none)
    #expect(try directory.send(Array(sent.utf8)) == 0)
    #expect(question.isReadable)
    #expect(try question.plainAnswer() == .secret(Array(expected.utf8)))
    #expect(try question.plainAnswer() == .none)
  }

  @Test func aPersonMayDecline() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    #expect(try directory.send(Array("-".utf8)) == 0)
    #expect(try question.plainAnswer() == .cancelled)
  }

  @Test(arguments: ["+sec\u{1b}[Aret", "+secret\r", "+\u{7f}", "+\n"])
  func controlCharactersAreNoPassphrase(_ sent: String) throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    #expect(try directory.send(Array(sent.utf8)) == 0)
    #expect(try question.plainAnswer() == .refused(.controlCharacters))
  }

  @Test func theLimitCountsTheAnswerAlone() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    let exact = [UInt8](repeating: 0x61, count: 100)
    for sent in [exact, exact + [0], exact + [0] + exact + [0]] {
      #expect(try directory.send([0x2B] + sent) == 0)
      #expect(try question.plainAnswer(limit: 100) == .secret(exact))
    }
    for sent in [exact + [0x61], exact + [0x61, 0], exact + exact + exact] {
      #expect(try directory.send([0x2B] + sent) == 0)
      #expect(try question.plainAnswer(limit: 100) == .refused(.tooLong(limit: 100)))
    }
  }

  @Test(arguments: ["secret", "", "?+secret"])
  func whatIsNoAnswerIsRefusedAndTheQuestionStands(_ sent: String) throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    #expect(try directory.send(Array(sent.utf8)) == 0)
    #expect(question.isReadable)
    #expect(try question.plainAnswer() == .refused(.malformed))
    #expect(try directory.send(Array("+secret".utf8)) == 0)
    #expect(try question.plainAnswer() == .secret(Array("secret".utf8)))
  }

  @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
  func nobodyButRootAnswers() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    let socket = try directory.only("sck.")
    let answer = Array("+secret".utf8)
    #expect(try sendDatagram(answer, to: socket, asUser: 65534) == EACCES)
    #expect(try question.plainAnswer() == .none)
    // Even where the mode would let them.
    try #require(chmod(socket, 0o666) == 0)
    #expect(try sendDatagram(answer, to: socket, asUser: 65534) == 0)
    #expect(try question.plainAnswer() == .refused(.sender(65534)))
    #expect(try sendDatagram(answer, to: socket, asUser: 0) == 0)
    #expect(try question.plainAnswer() == .secret(Array("secret".utf8)))
  }

  @Test func anAnswerAfterTheWithdrawalReachesNobody() throws {
    let directory = try QuestionDirectory()
    let question = try directory.ask()
    let socket = try directory.only("sck.")
    #expect(try sendDatagram(Array("+early".utf8), to: socket) == 0)
    question.withdraw()
    #expect(try sendDatagram(Array("+late".utf8), to: socket) == ENOENT)
    #expect(try question.plainAnswer() == .none)
    #expect(try directory.names() == [])
    question.withdraw()
  }

  @Test func aQuestionEndsWithItsValue() throws {
    let directory = try QuestionDirectory()
    do {
      let question = try directory.ask()
      #expect(question.descriptor >= 0)
      #expect(try directory.names().count == 2)
    }
    #expect(try directory.names() == [])
  }

  @Test func whatAKilledProcessLeftIsWithdrawnAndNothingElse() throws {
    let directory = try QuestionDirectory()
    let living = try directory.ask()
    let stays = try directory.names()
    // The socket stays, and nobody listens.
    func abandon(_ random: String, id: String, withSocket: Bool) throws {
      let socket = "\(directory.path)/sck.\(random)"
      if withSocket {
        let address = try #require(UnixAddress(socket))
        let descriptor = mb_unix_datagram_socket()
        #expect(address.withPointer { bind(descriptor, $0, $1) } == 0)
        close(descriptor)
      }
      let file = QuestionFile(process: 1, socket: socket, notAfter: 0, message: "m", icon: "", id: id)
      try file.write(to: "\(directory.path)/ask.\(random)", temporary: "\(directory.path)/tmp.\(random)")
    }
    try abandon("a", id: PasswordQuestion.defaultID, withSocket: true)
    try abandon("b", id: PasswordQuestion.defaultID, withSocket: false)
    try abandon("c", id: "cryptsetup:/dev/vda", withSocket: true)
    #expect(PasswordQuestion.withdrawAbandoned(directory: directory.path) == 2)
    #expect(try directory.names() == (stays + ["ask.c", "sck.c"]).sorted())
    #expect(try living.plainAnswer() == .none)
    #expect(PasswordQuestion.withdrawAbandoned(directory: directory.path + "/missing") == 0)
  }

  @Test func aDirectoryThatCannotBeUsedIsATypedError() {
    let long = "/tmp/" + String(repeating: "x", count: 100)
    defer { rmdir(long) }
    var refusal: PasswordQuestionError?
    do { _ = try PasswordQuestion(message: "m", directory: long) } catch { refusal = error }
    #expect(refusal?.description.hasSuffix("too long for a socket") == true)
    #expect(throws: PasswordQuestionError.failed(operation: "/dev/null/x", errno: ENOTDIR)) {
      _ = try PasswordQuestion(message: "m", directory: "/dev/null/x")
    }
  }
}
