import Foundation
import Linux
import MailbootCore
import Testing

@testable import MailbootHost

struct ChildProcessTests {
  /// Runs a shell script as the program runs its children; killed after `seconds`.
  private func shell(
    _ script: String, input: [UInt8] = [], descriptors: [Int32] = [], seconds: Double = 60
  ) throws -> ChildProcess {
    try withReactor { reactor in
      let child = try ChildProcess(["/bin/sh", "-c", script], input: input, descriptors: descriptors)
      _ = try child.run(reactor, until: Reactor.monotonic() + seconds)
      return child
    }
  }

  private func text(_ child: ChildProcess) -> String { String(decoding: child.output, as: UTF8.self) }

  @Test(arguments: [Int32(0), 1, 7, 255])
  func theExitCodeIsReported(_ code: Int32) throws {
    #expect(try shell("exit \(code)").end == .exited(code))
  }

  @Test func itRunsInADirectoryThatIsNobodyElses() throws {
    #expect(text(try shell("pwd")) == "/\n")
    try withReactor { reactor in
      let child = try ChildProcess(["/bin/pwd"], directory: nil)
      _ = try child.run(reactor, until: Reactor.monotonic() + 60)
      #expect(text(child) == FileManager.default.currentDirectoryPath + "\n")
    }
  }

  @Test func anEndByASignalIsReported() throws {
    #expect(try shell("kill -9 $$").end == .killed(signal: SIGKILL))
  }

  @Test func bothOutputsAreTakenInFarBeyondAPipesSize() throws {
    let child = try shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end")
    #expect(child.end == .exited(0))
    #expect(child.output.count == 1_000_004)
    #expect(child.errorOutput.utf8.count == 1_000_000)
  }

  @Test func whatIsTooMuchIsReadAndDropped() throws {
    let child = try shell("head -c 70000000 /dev/zero")
    #expect(child.end == .exited(0))
    #expect(child.output.count == 64 << 20)
  }

  @Test func oneWhoseExitStatusIsLostIsNotWaitedForForEver() throws {
    try withReactor { reactor in
      let child = try ChildProcess(["/bin/sh", "-c", "exit 0"])
      var status: Int32 = 0
      try #require(waitpid(child.pid, &status, 0) == child.pid)
      #expect(try child.run(reactor, until: Reactor.monotonic() + 30) == .killed(signal: 0))
    }
  }

  @Test func atTheDeadlineItIsEnded() throws {
    let begun = Reactor.monotonic()
    let child = try shell("echo said; exec sleep 300", seconds: 0.3)
    #expect(child.end == .killed(signal: SIGTERM))
    #expect(text(child) == "said\n")
    #expect(Reactor.monotonic() - begun < 15)
    #expect(!processExists(child.pid))
  }

  @Test func oneThatNeverStopsTalkingIsEndedAtTheDeadlineToo() throws {
    let begun = Reactor.monotonic()
    let child = try shell("exec cat /dev/zero", seconds: 0.3)
    #expect(child.end == .killed(signal: SIGTERM))
    #expect(Reactor.monotonic() - begun < 15)
  }

  @Test func whatItHasStartedIsEndedWithIt() throws {
    let child = try shell("sleep 300 & echo $!; wait", seconds: 0.5)
    let grandchild = try #require(pid_t(text(child).dropLast()))
    // Its new parent has to take note of its end.
    for _ in 0..<100 where processExists(grandchild) && !isZombie(grandchild) { usleep(50_000) }
    #expect(!processExists(grandchild) || isZombie(grandchild))
  }

  private func isZombie(_ pid: pid_t) -> Bool {
    let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    return stat.contains(") Z ")
  }

  @Test func aDaemonThatKeepsThePipesOpenIsNotWaitedFor() throws {
    let begun = Reactor.monotonic()
    let child = try shell("sleep 300 & echo $!")
    let daemon = try #require(pid_t(text(child).dropLast()))
    defer { kill(daemon, SIGKILL) }
    #expect(child.end == .exited(0))
    #expect(Reactor.monotonic() - begun < 30)
    #expect(processExists(daemon))
  }

  @Test(arguments: [1, 100, 1_000_000])
  func theInputArrivesWhole(_ count: Int) throws {
    let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(try shell("cat", input: input).output == input)
  }

  @Test func withoutInputThereIsNothingToRead() throws {
    let child = try shell("cat; echo $?")
    #expect(text(child) == "0\n")
  }

  @Test func descriptorThreeIsHandedOver() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { try #require(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    try #require(write(ends[1], "secret", 6) == 6)
    close(ends[1])
    defer { close(ends[0]) }
    #expect(text(try shell("cat <&3", descriptors: [ends[0]])) == "secret")
    #expect(fcntl(ends[0], F_GETFD) == FD_CLOEXEC)
  }

  @Test func noSignalIsBlockedOrIgnoredInIt() throws {
    let child = try shell("grep -E '^Sig(Blk|Ign)' /proc/self/status")
    let masks = text(child).split(separator: "\n").map { UInt64($0.suffix(16), radix: 16) }
    // glibc keeps 32 and 33 for itself.
    #expect(masks.map { $0.map { $0 & 0x7fff_ffff } } == [0, 0])
  }

  @Test func itsEnvironmentIsNobodyElsesChoice() throws {
    try withReactor { reactor in
      let child = try ChildProcess(["/usr/bin/env"])
      _ = try child.run(reactor, until: Reactor.monotonic() + 60)
      #expect(
        text(child).split(separator: "\n").sorted() == [
          "HOME=/root", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        ])
    }
  }

  @Test func itHasAProcessGroupOfItsOwn() throws {
    let child = try shell("cut -d ' ' -f 5 /proc/$$/stat")
    #expect(text(child) == "\(child.pid)\n")
  }

  @Test func aProgramThatIsNotThereIsSaid() throws {
    #expect(throws: Failure.system("/no/such/program cannot be run: No such file or directory")) {
      try startChild(["/no/such/program"])
    }
  }

  @Test func anInterruptEndsTheChildAndIsPassedOn() throws {
    try withReactor { reactor in
      let child = try ChildProcess(["/bin/sleep", "300"])
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try child.run(reactor, until: nil) }
      #expect(child.end == .killed(signal: SIGTERM))
      #expect(!processExists(child.pid))
    }
  }

  @Test func aForgottenChildDoesNotOutliveItsOwner() throws {
    var child: ChildProcess? = try ChildProcess(["/bin/sleep", "300"])
    let pid = try #require(child?.pid)
    #expect(processExists(pid))
    child = nil
    #expect(!processExists(pid))
  }

  @Test func manyRunAtOnce() throws {
    try withReactor { reactor in
      var children = try (0..<8).map { try ChildProcess(["/bin/sh", "-c", "head -c 200000 /dev/zero; exit \($0)"]) }
      var codes: Set<Int32> = []
      let deadline = Reactor.monotonic() + 60
      while !children.isEmpty && Reactor.monotonic() < deadline {
        children.removeAll { child in
          guard child.pump() else { return false }
          if case .exited(let code)? = child.end, child.output.count == 200_000 { codes.insert(code) }
          return true
        }
        var descriptors = children.flatMap(\.pollDescriptors)
        if !children.isEmpty { try reactor.wait(&descriptors, until: deadline) }
      }
      #expect(codes == Set(0..<8))
    }
  }
}
