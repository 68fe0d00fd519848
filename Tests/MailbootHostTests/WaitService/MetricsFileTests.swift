import CLinux
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MailbootHost

/// The file for node_exporter.
struct MetricsFileTests {
  private func contents(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func itIsForEverybodyToReadAndNothingIsLeftBeside() throws {
    let place = try TemporaryDirectory()
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == nil)
    #expect(try contents(place.file("mailboot.prom")) == "a 1\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: place.file("mailboot.prom"))
    #expect(attributes[.posixPermissions] as? Int == 0o644)
    #expect(try place.names() == ["mailboot.prom"])
  }

  @Test func theSameTextIsNotWrittenTwiceUnlessTheFileHasGone() throws {
    let place = try TemporaryDirectory()
    let path = place.file("mailboot.prom")
    var file = MetricsFile(path: path)
    func inode() -> Int? {
      (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? Int
    }
    #expect(file.update("a 1\n") == nil)
    // Held open, so that its number is not given to the next file.
    let held = open(path, O_RDONLY)
    defer { close(held) }
    let first = inode()
    #expect(file.update("a 1\n") == nil)
    #expect(inode() == first)
    #expect(file.update("a 2\n") == nil)
    #expect(inode() != first)
    unlink(path)
    #expect(file.update("a 2\n") == nil)
    #expect(try contents(path) == "a 2\n")
  }

  @Test func whatAKilledWriterLeftIsReplaced() throws {
    let place = try TemporaryDirectory()
    try place.write(".mailboot.prom.new", "half")
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == nil)
    #expect(try place.names() == ["mailboot.prom"])
  }

  @Test func aReaderSeesEitherTextWhole() throws {
    let place = try TemporaryDirectory()
    let path = place.file("mailboot.prom")
    let texts = [String(repeating: "a 1\n", count: 5000), String(repeating: "b 2\n", count: 3000)]
    var first = MetricsFile(path: path)
    #expect(first.update(texts[0]) == nil)
    let finished = Mutex(false)
    Thread.detachNewThread {
      var file = MetricsFile(path: path)
      for number in 0..<500 { _ = file.update(texts[number % 2]) }
      finished.withLock { $0 = true }
    }
    var seen: Set<Int> = []
    let deadline = Reactor.monotonic() + 60
    while !finished.withLock({ $0 }), Reactor.monotonic() < deadline {
      seen.insert(try #require(texts.firstIndex(of: contents(path))))
    }
    #expect(seen == [0, 1])
  }

  @Test func aMissingDirectoryIsSaidOnceAndAgainWhenItWentAway() throws {
    let place = try TemporaryDirectory()
    let directory = place.file("collector")
    var file = MetricsFile(path: directory + "/mailboot.prom")
    let said = "the metrics are not written: \(directory): No such file or directory"
    #expect(file.update("a 1\n") == said)
    #expect(file.update("a 1\n") == nil)
    #expect(file.update("a 2\n") == nil)
    mkdir(directory, 0o755)
    #expect(file.update("a 2\n") == nil)
    #expect(try contents(directory + "/mailboot.prom") == "a 2\n")
    try FileManager.default.removeItem(atPath: directory)
    #expect(file.update("a 3\n") == said)
  }

  @Test func aLinkInThePlaceOfTheFileIsReplacedNotFollowed() throws {
    let place = try TemporaryDirectory()
    let precious = try place.write("precious", "precious")
    for name in ["mailboot.prom", ".mailboot.prom.new"] {
      try FileManager.default.createSymbolicLink(atPath: place.file(name), withDestinationPath: precious)
    }
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == nil)
    #expect(try contents(precious) == "precious")
    #expect(try contents(place.file("mailboot.prom")) == "a 1\n")
    #expect(try place.names() == ["mailboot.prom", "precious"])
  }

  @Test func aLinkOnTheWayIsNotFollowed() throws {
    let place = try TemporaryDirectory()
    mkdir(place.file("real"), 0o755)
    mkdir(place.file("real/inner"), 0o755)
    try FileManager.default.createSymbolicLink(atPath: place.file("link"), withDestinationPath: place.file("real"))
    for directory in ["link", "link/inner"] {
      var file = MetricsFile(path: place.file("\(directory)/mailboot.prom"))
      #expect(
        file.update("a 1\n")
          == "the metrics are not written: \(place.file("link")): not a directory, or a symbolic link to one")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.file("real")) == ["inner"])
  }

  @Test(arguments: [0o775, 0o757, 0o1777] as [mode_t])
  func aDirectoryThatOthersMayWriteToIsRefused(_ mode: mode_t) throws {
    let place = try TemporaryDirectory()
    chmod(place.path, mode)
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == "the metrics are not written: \(place.path) is writable by others than its owner")
    #expect(try place.names().isEmpty)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a directory away"))
  func aDirectoryOfTheCollectorsIsFine() throws {
    let place = try TemporaryDirectory()
    try #require(chown(place.path, 65534, 65534) == 0)
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == nil)
    let attributes = try FileManager.default.attributesOfItem(atPath: place.file("mailboot.prom"))
    #expect(attributes[.ownerAccountID] as? Int == 0)
  }

  @Test func itCanBeTakenAwayAndComesBack() throws {
    let place = try TemporaryDirectory()
    var file = MetricsFile(path: place.file("mailboot.prom"))
    #expect(file.update("a 1\n") == nil)
    file.remove()
    #expect(try place.names().isEmpty)
    #expect(file.update("a 1\n") == nil)
    #expect(try place.names() == ["mailboot.prom"])
  }
}
