import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// The hold of a run and `packaging/hold-door`, as it is installed but for the path: real processes on a tmpfs, as `/run` is.
struct DoorHoldTests {
  private let place: TemporaryDirectory
  private let helper: String

  init() throws {
    place = try TemporaryDirectory(in: "/dev/shm")
    let script = try String(contentsOf: repositoryFile("packaging/hold-door"), encoding: .utf8)
    let ours = script.replacingOccurrences(of: DoorHold.path, with: place.file("door"))
    try #require(ours != script)
    helper = try place.write("hold-door", ours, mode: 0o755)
  }

  private var path: String { place.file("door") }

  private func hold() throws -> DoorHold { try withReactor { try DoorHold(path: path, reactor: $0) } }

  /// The unit's command, once it says that it waits, or has ended.
  private struct Waiter {
    let process: Process
    let output: FileHandle
    let complaint: FileHandle

    /// Its exit status, and what it complained about.
    func end() -> (status: Int32, complaint: String) {
      process.waitUntilExit()
      return (process.terminationStatus, String(decoding: complaint.readDataToEndOfFile(), as: UTF8.self))
    }
  }

  private func start() throws -> Waiter {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: helper)
    let (output, complaint) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = complaint
    try process.run()
    return Waiter(
      process: process, output: output.fileHandleForReading, complaint: complaint.fileHandleForReading)
  }

  private func startAndWaitUntilHeld() throws -> Waiter {
    let waiter = try start()
    let said = String(decoding: waiter.output.availableData, as: UTF8.self)
    try #require(said == "held by mailboot until everything before it is proven to work\n")
    return waiter
  }

  @Test func withoutAHoldAUnitGoesOnAtOnce() throws {
    #expect(try start().end() == (0, ""))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aHeldUnitGoesOnWhenTheDoorOpensAndLaterOnesDoNotWait() throws {
    let hold = try hold()
    let (first, second) = (try startAndWaitUntilHeld(), try startAndWaitUntilHeld())
    #expect(first.process.isRunning && second.process.isRunning)
    try hold.open()
    #expect(first.end() == (0, ""))
    #expect(second.end() == (0, ""))
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try start().end() == (0, ""))
  }

  @Test func aHeldUnitFailsWhenTheHoldEndsWithoutOpening() throws {
    let hold = try hold()
    let waiter = try startAndWaitUntilHeld()
    hold.shut()
    let end = waiter.end()
    #expect(end.status == 1)
    #expect(end.complaint.contains("the unlock that held it ended before everything was proven: run `mailboot`"))
    // Nobody unlocks any more: whoever starts it by hand now means it.
    #expect(try start().end() == (0, ""))
  }

  /// Another process that holds the door, as a run does.
  private func otherRun() throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    process.arguments = ["--no-fork", path, "/bin/sh", "-c", "echo held; exec sleep 300"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    try #require(pipe.fileHandleForReading.readData(ofLength: 5) == Data("held\n".utf8))
    return process
  }

  @Test func aKilledRunShutsTheDoorForWhoWaitsAndForWhoComesLater() throws {
    let run = try otherRun()
    let waiter = try startAndWaitUntilHeld()
    kill(run.processIdentifier, SIGKILL)
    run.waitUntilExit()
    #expect(waiter.end().status == 1)
    #expect(try start().end().status == 1)
    // The next run takes the hold over, and opens it.
    let next = try hold()
    let held = try startAndWaitUntilHeld()
    try next.open()
    #expect(held.end() == (0, ""))
    #expect(try start().end() == (0, ""))
  }

  @Test func whatAKilledRunLeftCanBeTakenAway() throws {
    let run = try otherRun()
    kill(run.processIdentifier, SIGKILL)
    run.waitUntilExit()
    #expect(try start().end().status == 1)
    DoorHold.clear(path)
    #expect(try start().end() == (0, ""))
  }

  @Test func aStopEndsTheWaitAtOnce() throws {
    let hold = try hold()
    let waiter = try startAndWaitUntilHeld()
    let children = Process()
    children.executableURL = URL(fileURLWithPath: "/usr/bin/pkill")
    // systemd signals all processes of the unit.
    children.arguments = ["-TERM", "-P", String(waiter.process.processIdentifier)]
    try children.run()
    children.waitUntilExit()
    waiter.process.terminate()
    #expect(waiter.end().status != 0)
    hold.shut()
  }

  @Test func onlyItsOwnerMayOpenTheFile() throws {
    let hold = try hold()
    let mode = try #require(
      FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)
    #expect(mode.intValue == 0o600)
    hold.shut()
  }

  @Test func aLinkInItsPlaceIsRefused() throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: place.file("elsewhere"))
    #expect(throws: Failure.self) { try hold() }
    #expect(!FileManager.default.fileExists(atPath: place.file("elsewhere")))
  }
}
