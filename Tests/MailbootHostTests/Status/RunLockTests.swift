import Foundation
import Linux
import MailbootCore
import TestSupport
import Testing
import Text

@testable import MailbootHost

/// The lock of a run: real files on a tmpfs, as `/run` is, and real second processes.
struct RunLockTests {
  private let place: TemporaryDirectory
  private let directory: RuntimeDirectory

  init() throws {
    place = try TemporaryDirectory(in: "/dev/shm")
    directory = RuntimeDirectory(path: place.path)
  }

  /// Another process that holds the lock until it is ended.
  private func holder() throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    process.arguments = ["--no-fork", directory.path + "/lock", "/bin/sh", "-c", "echo held; exec sleep 300"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    try #require(pipe.fileHandleForReading.readData(ofLength: 5) == Data("held\n".utf8))
    return process
  }

  /// Free, or within a moment: a child that another test starts just then holds every descriptor until it becomes its program.
  private func isFree() -> Bool {
    let deadline = Reactor.monotonic() + 10
    while directory.isLocked() && Reactor.monotonic() < deadline { usleep(1000) }
    return !directory.isLocked()
  }

  @Test func itIsHeldDuringTheWorkAndNoLonger() throws {
    #expect(isFree())
    let seen = try directory.withLock { () throws(Failure) in directory.isLocked() }
    #expect(seen)
    #expect(isFree())
    #expect(try directory.withLock { () throws(Failure) in 7 } == 7)
  }

  @Test func aFailureReleasesIt() throws {
    #expect(throws: Failure.locked) { try directory.withLock { () throws(Failure) in throw .locked } }
    #expect(isFree())
  }

  @Test func theSecondRunIsToldWhoIsBusy() throws {
    let busy = BusyRecord(pid: 42, verb: "unlock", by: "root", phase: .mounting, since: 5)
    var record = LastResults(bootID: "boot")
    record.busy = busy
    try directory.store(record)
    _ = try directory.withLock { () throws(Failure) in
      #expect(throws: Failure.busy(busy)) { try RuntimeDirectory(path: place.path).withLock {} }
    }
  }

  @Test func anotherProcessHoldsItUntilItsEndHoweverItEnds() throws {
    try directory.withLock {}
    let other = try holder()
    #expect(directory.isLocked())
    #expect(throws: Failure.busy(nil)) { try directory.withLock {} }
    kill(other.processIdentifier, SIGKILL)
    other.waitUntilExit()
    #expect(isFree())
    try directory.withLock {}
  }

  @Test func aChildStartedMeanwhileDoesNotInheritIt() throws {
    let child = try directory.withLock { () throws(Failure) in try startChild(["/bin/sleep", "300"]) }
    #expect(processExists(child.pid))
    #expect(isFree())
  }

  @Test func onlyItsOwnerMayOpenTheFile() throws {
    try directory.withLock {}
    let mode = try FileManager.default.attributesOfItem(atPath: place.file("lock"))[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func aLinkInItsPlaceIsNotFollowed() throws {
    try FileManager.default.createSymbolicLink(atPath: place.file("lock"), withDestinationPath: place.file("victim"))
    #expect(throws: Failure.self) { try directory.withLock {} }
    #expect(try place.names() == ["lock"])
  }

  /// `/proc/locks` as the kernel writes it: majors and minors hexadecimal, inode decimal.
  @Test(arguments: [
    ("1: FLOCK  ADVISORY  WRITE 1234 00:19:563 0 EOF", true),
    ("1: POSIX  ADVISORY  WRITE 1 08:01:9 0 EOF\n22: FLOCK  ADVISORY  READ  1234 00:19:563 0 EOF\n", true),
    ("1: FLOCK  ADVISORY  WRITE 1 08:01:9 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 1234 00:19:563 0 EOF", false),
    ("1: POSIX  ADVISORY  WRITE 1234 00:19:563 0 EOF", false), ("1: OFDLCK ADVISORY  WRITE -1 00:19:563 0 EOF", false),
    ("1: FLOCK  ADVISORY  WRITE 1234 00:19:5633 0 EOF", false),
    ("1: FLOCK  ADVISORY  WRITE 563 08:19:562 0 EOF", false),
    ("1: LEASE  ACTIVE    READ  7 00:19:563 0 EOF", false), ("1: FLOCK", false), ("", false),
  ])
  func theLockIsFoundInTheKernelsTable(_ table: String, _ held: Bool) {
    #expect(RuntimeDirectory.holds(flock: 563, device: makedev(0, 0x19), in: table) == held)
  }

  @Test func largeDeviceNumbersAreHexadecimal() {
    let line = "1: FLOCK  ADVISORY  WRITE 1234 103:0a:77 0 EOF"
    #expect(RuntimeDirectory.holds(flock: 77, device: makedev(0x103, 10), in: line))
    #expect(!RuntimeDirectory.holds(flock: 77, device: makedev(103, 10), in: line))
  }

  /// As glibc's macro, which Swift does not see.
  private func makedev(_ major: UInt64, _ minor: UInt64) -> dev_t {
    let low: UInt64 = (major & 0xfff) << 8 | (minor & 0xff)
    let high: UInt64 = (major & ~0xfff) << 32 | (minor & ~0xff) << 12
    return dev_t(low | high)
  }
}
