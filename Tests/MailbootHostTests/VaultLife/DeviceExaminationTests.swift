import Foundation
import TestSupport
import Testing

@testable import MailbootHost

/// What is on a device that no signature names.
struct DeviceExaminationTests {
  private func hasData(size: UInt64, at place: UInt64?) throws -> Bool {
    let directory = try TemporaryDirectory()
    let path = try directory.write("disk", "")
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.truncate(atOffset: size)
    if let place {
      try file.seek(toOffset: place)
      try file.write(contentsOf: Data([1]))
    }
    return DeviceExamination.hasData(file.fileDescriptor, size: size)
  }

  @Test func aLoopDeviceOverADeviceIsSeen() throws {
    let directory = try TemporaryDirectory()
    let disk = try directory.write("disk", "")
    symlink(disk, directory.file("by-id"))
    _ = try directory.write("sys/class/block/loop0/loop/backing_file", "/elsewhere\n")
    #expect(DeviceExamination.loop(over: directory.file("by-id"), sysfs: directory.file("sys")) == nil)
    _ = try directory.write("sys/class/block/loop1/loop/backing_file", disk + "\n")
    #expect(DeviceExamination.loop(over: directory.file("by-id"), sysfs: directory.file("sys")) == "loop1")
  }

  @Test func zerosAreNothing() throws {
    #expect(try !hasData(size: 1 << 30, at: nil))
    #expect(try !hasData(size: 1 << 20, at: nil))
    #expect(try !hasData(size: 0, at: nil))
  }

  @Test func anythingElseIsNot() throws {
    // A header of VeraCrypt, the data of a volume whose header is elsewhere, the spare header at the end.
    for place in [0, 512, 131_072, (4 << 20) - 1, 1 << 29, (1 << 30) - 131_072, (1 << 30) - 1] as [UInt64] {
      #expect(try hasData(size: 1 << 30, at: place), "\(place)")
    }
    #expect(try hasData(size: 1 << 20, at: 1_000_000))
  }
}
