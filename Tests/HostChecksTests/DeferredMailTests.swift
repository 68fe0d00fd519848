import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import HostChecks

/// A queue file of postfix's, as far as it is looked at.
private func queueFile(_ arrived: Int) -> Data {
  func record(_ type: Character, _ text: String) -> [UInt8] {
    Array("\(type)".utf8) + [UInt8(text.utf8.count)] + text.utf8
  }
  return Data(
    record("C", "            1234             567               1               0            1234               0")
      + record("T", "\(arrived) 123456") + record("A", "log_ident=A1") + record("S", "a@example.org"))
}

/// A queue with these files below `deferred`, and the `main.cf` that names it.
private func queue(_ files: [String: Data]) throws -> (directory: TemporaryDirectory, request: QueueRequest) {
  let directory = try TemporaryDirectory()
  try FileManager.default.createDirectory(atPath: directory.file("queue/deferred/0"), withIntermediateDirectories: true)
  for (name, contents) in files { try directory.write("queue/deferred/\(name)", contents) }
  let main = try directory.write("main.cf", "# queue_directory = /x\nqueue_directory = \(directory.file("queue"))\n")
  return (directory, QueueRequest(mainFile: main))
}

/// The mail that postfix has put off, counted without postfix.
struct CountedDeferredMailTests {
  private func counted(_ request: QueueRequest) -> DeferredMail? {
    guard case .counted(let mail) = countDeferredMail(request) else { return nil }
    return mail
  }

  @Test func mailInAllDirectoriesIsCountedAndTheOldestFound() throws {
    let (directory, request) = try queue([
      "0/0123456789": queueFile(2000), "A/A123456789": queueFile(1000), "A/B/AB23456789": queueFile(3000),
      "C/C123456789": Data("no queue file".utf8), "D/.hidden": queueFile(1),
    ])
    let mail = try #require(counted(request))
    #expect(mail.count == 4 && !mail.hasMore && mail.oldest == 1000)
    withExtendedLifetime(directory) {}
  }

  @Test func anEmptyQueueIsCounted() throws {
    let (directory, request) = try queue([:])
    let mail = try #require(counted(request))
    #expect(mail.count == 0 && mail.oldest == nil)
    withExtendedLifetime(directory) {}
  }

  @Test func countingEnds() throws {
    var files: [String: Data] = [:]
    for number in 10..<30 { files["\(number % 10)/A\(number)"] = queueFile(number) }
    let (directory, whole) = try queue(files)
    var request = whole
    request.most = 15
    #expect(counted(request)?.count == 15 && counted(request)?.hasMore == true)
    request.most = 20
    #expect(counted(request)?.count == 20 && counted(request)?.hasMore == false)
    request.patience = 0
    #expect(counted(request)?.count == 20 && counted(request)?.oldest == nil)
    withExtendedLifetime(directory) {}
  }

  /// Whoever is postfix must not have root read something else.
  @Test func linksAreNotFollowed() throws {
    let (directory, request) = try queue(["0/0123": queueFile(2000)])
    try directory.write("elsewhere/A1", queueFile(1))
    let deferred = directory.file("queue/deferred")
    for (link, target) in [("E", "elsewhere"), ("0/A1", "elsewhere/A1")] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(deferred)/\(link)", withDestinationPath: directory.file(target))
    }
    #expect(mkfifo("\(deferred)/0/F1", 0o600) == 0)
    let mail = try #require(counted(request))
    #expect(mail.count == 3 && mail.oldest == 2000)
  }

  @Test func withoutAQueueNothingIsCounted() throws {
    let directory = try TemporaryDirectory()
    #expect(countDeferredMail(QueueRequest(mainFile: directory.file("main.cf"))) == .unknown)
    let main = try directory.write("main.cf", "queue_directory = \(directory.file("none"))\n")
    #expect(countDeferredMail(QueueRequest(mainFile: main)) == .unknown)
  }

  @Test(
    arguments: [
      ("", "/var/spool/postfix"), ("queue_directory=/a\nqueue_directory = /b \n", "/b"),
      ("other = 1\n queue_directory = /a\n", "/var/spool/postfix"), ("queue_directory = $x/a", nil),
    ])
  func theQueueIsWhereTheLastLineSays(_ text: String, _ path: String?) {
    #expect(queueDirectory(inMain: text) == path)
  }

  @Test func lengthsOfSeveralBytesAreRead() {
    let long = [UInt8(ascii: "A"), 0x80 | 0x48, 0x01] + [UInt8](repeating: 0x61, count: 200)
    #expect(arrivalTime(inQueueFile: (long + [UInt8(ascii: "T"), 3] + "123".utf8)[...]) == 123)
    #expect(arrivalTime(inQueueFile: [UInt8(ascii: "T"), 0xff, 0xff, 0xff, 0xff, 0xff][...]) == nil)
    #expect(arrivalTime(inQueueFile: [UInt8(ascii: "T"), 9, 0x31][...]) == nil)
    #expect(arrivalTime(inQueueFile: [UInt8(ascii: "T")][...]) == nil)
  }
}
