import Foundation
import MailbootCore
import Synchronization
import TestSupport
import Testing

@testable import MailbootHost

/// `status --watch`: what wakes it, and what it shows. On real directories; each wait has an end.
struct StatusWatchTests {
  /// A report that says nothing but what the record has as its boot.
  private func report(_ directory: RuntimeDirectory) -> StatusReport {
    StatusReport(
      StatusInput(
        configuration: Configuration(), observation: nil, record: nil, locked: false,
        host: directory.record()?.bootID ?? "none", bootID: "boot", bootedAt: 0, trouble: []))
  }

  private func readable(_ source: any WatchSource, within milliseconds: Int32 = 5000) -> Bool {
    var entries = [source.entry]
    return poll(&entries, 1, milliseconds) == 1
  }

  /// Watches a run directory until its reader goes, which is what `act` ends with at the latest.
  ///
  /// - Parameter act: in a thread of its own; `seen` says what was shown so far.
  private func watch(
    _ place: TemporaryDirectory, sources: [any WatchSource]? = nil, redraw: Double? = nil,
    act: @escaping @Sendable (_ seen: () -> [String]) -> Void
  ) throws -> (shown: [String], draws: Int) {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let (reader, writer) = (ends[0], ends[1])
    defer { close(writer) }
    let directory = RuntimeDirectory(path: place.path)
    let shown = Shared<[String]>([])
    var draws = 0
    try withReactor { reactor in
      let watch = StatusWatch(
        reactor: reactor, sources: try sources ?? [RunDirectoryWatch.make(directory)], settling: 0.02,
        report: { report(directory) })
      Thread.detachNewThread {
        act { shown.value }
        close(reader)
      }
      _ = try watch.run(
        reader: writer,
        redraw: { _ in
          draws += 1
          return redraw
        }, show: { shown.append($0.host) })
    }
    return (shown.value, draws)
  }

  @Test func eachChangeIsShownOnceAndInOrder() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    let (shown, _) = try watch(place) { seen in
      // What is there first is a change of nobody's.
      waitUntil { !seen().isEmpty }
      for (count, boot) in ["a", "a", "b", "c"].enumerated() {
        try? directory.store(LastResults(bootID: boot))
        // The second "a" is no change: nothing to wait for but that nothing comes.
        if count == 1 { usleep(200_000) } else { waitUntil { seen().last == boot } }
      }
    }
    #expect(shown == ["none", "a", "b", "c"])
  }

  @Test func itEndsWhenNobodyReadsAnyMore() throws {
    let place = try TemporaryDirectory()
    let begun = Reactor.monotonic()
    let (shown, draws) = try watch(place) { _ in usleep(100_000) }
    #expect(shown == ["none"] && draws == 1)
    #expect(Reactor.monotonic() - begun < 10)
  }

  @Test func agesAreDrawnAgainWithoutLookingAgain() throws {
    let place = try TemporaryDirectory()
    let (shown, draws) = try watch(place, redraw: 0.05) { _ in usleep(1_000_000) }
    #expect(shown == ["none"])
    // Twenty on an idle machine.
    #expect(draws > 2)
  }

  @Test func aSignalEndsIt() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    try withReactor { reactor in
      let watch = StatusWatch(
        reactor: reactor, sources: [try RunDirectoryWatch.make(directory)], report: { report(directory) })
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { _ = try watch.run(reader: 1) { _ in } }
    }
  }

  @Test func theEndOfARunTells() throws {
    let place = try TemporaryDirectory()
    let directory = RuntimeDirectory(path: place.path)
    let source = try RunDirectoryWatch.make(directory)
    try directory.withLock {}
    #expect(readable(source))
    #expect(source.changed())
    #expect(!readable(source, within: 0))
  }

  @Test func otherFilesInTheDirectoryTellNothing() throws {
    let place = try TemporaryDirectory()
    let source = try RunDirectoryWatch.make(RuntimeDirectory(path: place.path))
    try place.write("something", "x")
    #expect(readable(source))
    #expect(!source.changed())
  }

  @Test func aDirectoryThatIsNotThereCannotBeWatched() throws {
    let place = try TemporaryDirectory()
    let failure = #expect(throws: Failure.self) {
      _ = try RunDirectoryWatch.make(RuntimeDirectory(path: place.file("nowhere")))
    }
    #expect(failure?.summary == "\(place.file("nowhere")) cannot be watched: No such file or directory")
  }

  @Test(arguments: [
    ("invocation:postfix.service", true), ("invocation:postfix@-.service", true), ("invocation:dovecot.service", true),
    ("invocation:cron.service", false), ("log-level-max:postfix.service", false), ("postfix.service", false),
  ])
  func aUnitTellsWhenItIsOneOfOurs(_ name: String, _ isOurs: Bool) throws {
    let links = try TemporaryDirectory()
    let source = try UnitLinks.watch(Configuration(), links: links.path)
    try FileManager.default.createSymbolicLink(atPath: links.file(name), withDestinationPath: "0123")
    #expect(readable(source))
    #expect(source.changed() == isOurs)
    unlink(links.file(name))
    #expect(readable(source))
    #expect(source.changed() == isOurs)
  }

  @Test(.enabled(if: geteuid() == 0, "only root may mount"))
  func aMountAndItsEndTell() throws {
    let place = try TemporaryDirectory()
    let source = try MountTableWatch()
    #expect(!readable(source, within: 0))
    try #require(mount("none", place.path, "tmpfs", 0, nil) == 0)
    #expect(readable(source))
    #expect(!readable(source, within: 0))
    try #require(umount(place.path) == 0)
    #expect(readable(source))
  }
}

/// Until it is so, for 10 s at most.
private func waitUntil(_ condition: () -> Bool) {
  for _ in 0..<1000 where !condition() { usleep(10_000) }
}
