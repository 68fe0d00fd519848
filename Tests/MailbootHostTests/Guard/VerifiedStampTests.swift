import Foundation
import TestSupport
import Testing

@testable import MailbootHost

struct VerifiedStampTests {
  private let directory: TemporaryDirectory
  private let stamp: VerifiedStamp

  init() throws {
    directory = try TemporaryDirectory()
    stamp = VerifiedStamp(services: directory.path + "/verified", door: directory.path + "/verified-door")
  }

  private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func theDoorHasOneOfItsOwn() throws {
    try stamp.make(door: false)
    #expect(isThere(stamp.services) && !isThere(stamp.door))
    try stamp.make(door: true)
    #expect(isThere(stamp.services) && isThere(stamp.door))
    stamp.shutDoor()
    #expect(isThere(stamp.services) && !isThere(stamp.door))
    stamp.remove()
    #expect(!isThere(stamp.services))
  }

  @Test func oneThatWasMadeAnewIsNotTakenAwayByWhoSawTheOldOne() throws {
    try stamp.make(door: true)
    let old = stamp.identity()
    // The kernel's times advance in steps of some milliseconds.
    usleep(30_000)
    try stamp.make(door: true)
    stamp.remove(ifStill: old)
    #expect(isThere(stamp.services) && isThere(stamp.door))
    stamp.remove(ifStill: stamp.identity())
    #expect(!isThere(stamp.services) && !isThere(stamp.door))
  }

  @Test func whatWasNotThereIsNotTakenAway() throws {
    let none = stamp.identity()
    try stamp.make(door: false)
    stamp.remove(ifStill: none)
    #expect(isThere(stamp.services))
  }

  @Test func aLinkInItsPlaceIsNotFollowed() throws {
    let other = directory.path + "/other"
    try FileManager.default.createSymbolicLink(atPath: stamp.services, withDestinationPath: other)
    #expect(throws: (any Error).self) { try stamp.make(door: false) }
    #expect(!isThere(other))
  }
}
