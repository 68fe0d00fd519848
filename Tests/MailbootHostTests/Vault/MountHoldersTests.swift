import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// Real processes that use a real mount; making one needs root.
@Suite(.enabled(if: geteuid() == 0, "only root may mount"))
struct MountHoldersTests {
  /// How a process uses the mount, and what is found.
  static let uses: [(script: String, use: Holder.Use, place: String)] = [
    ("cd \"$DIR\"; echo ready; exec sleep 600", .workingDirectory, ""),
    ("exec 7>\"$DIR/log\"; echo ready; exec sleep 600", .file, "/log"),
    ("exec 7>\"$DIR/log\"; rm \"$DIR/log\"; echo ready; exec sleep 600", .file, "/log (deleted)"),
    ("cp /bin/sleep \"$DIR\"; echo ready; exec \"$DIR/sleep\" 600", .program, "/sleep"),
    (
      "cp /lib/x86_64-linux-gnu/libm.so.6 \"$DIR\"; echo ready; LD_PRELOAD=\"$DIR/libm.so.6\" exec sleep 600", .mapping,
      "/libm.so.6"
    ),
    (
      "exec perl -MIO::Socket -e '$| = 1; $s = IO::Socket::UNIX->new(Listen => 1, Local => \"$ENV{DIR}/s\") or die; "
        + "print \"ready\\n\"; sleep 600'", .socket, "/s"
    ),
    ("echo ready; exec sleep 600", .namespace, ""),
  ]

  @Test(arguments: uses)
  func aProcessIsFoundByItsUse(_ example: (script: String, use: Holder.Use, place: String)) throws {
    let mount = try PrivateMount(example.script)
    // `ready` is said before the last exec.
    let deadline = Reactor.monotonic() + 10
    var found: Holder?
    while Reactor.monotonic() < deadline, found?.use != example.use {
      found = mount.holders.processes().first { $0.pid == mount.pid }
    }
    let holder = try #require(found)
    #expect(holder.use == example.use)
    #expect(holder.place == mount.directory.path + example.place)
    #expect(holder.user == "root")
    #expect(!holder.isAncestor)
    #expect(mount.holders.isHolding(mount.pid))
    #expect(!mount.holders.processes().contains { $0.pid == getpid() })
  }

  /// Opened by its path alone, so that there need be no such device.
  @Test func whoHasTheBlockDeviceItselfOpenIsFound() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/disk"
    try #require(mknod(path, mode_t(S_IFBLK) | 0o600, 0xfff_0ff) == 0)
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
    reader.arguments = ["-e", "sysopen(F, $ARGV[0], 010000000) or die; sleep 600", path]
    try reader.run()
    defer {
      kill(reader.processIdentifier, SIGKILL)
      reader.waitUntilExit()
    }
    let device = try #require(DeviceNumber(ofBlockDevice: path))
    let holders = MountHolders(device: device, mountPoints: ["/nowhere"])
    let deadline = Reactor.monotonic() + 10
    var found: Holder?
    while Reactor.monotonic() < deadline, found == nil {
      found = holders.processes().first { $0.pid == reader.processIdentifier }
    }
    let holder = try #require(found)
    #expect(holder.use == .device && holder.place == path)
    #expect(holders.isHolding(reader.processIdentifier))
  }

  @Test func aFileSystemThatNobodyUsesHasNoHolders() throws {
    let unused = try #require(DeviceNumber("4095:1048575"))
    #expect(MountHolders(device: unused, mountPoints: ["/nowhere"]).processes().isEmpty)
    #expect(!MountHolders(device: unused, mountPoints: ["/nowhere"]).isHolding(getppid()))
  }

  @Test func whoStartedUsIsKnown() throws {
    let device = try #require(DeviceNumber(ofFile: "/proc/\(getppid())/exe"))
    let parent = MountHolders(device: device, mountPoints: []).processes().first { $0.pid == getppid() }
    #expect(parent?.isAncestor == true)
  }

  // MARK: Ending them

  @Test func aProcessThatIgnoresTheRequestIsEndedByForce() throws {
    let mount = try PrivateMount("trap '' TERM; cd \"$DIR\"; echo ready; while :; do sleep 1; done")
    try withReactor { reactor in
      var ending = ProcessEnding(reactor: reactor)
      ending.grace = 1
      let begun = Reactor.monotonic()
      let holders = mount.holders
      let ended = try ending.end([mount.pid], stillMeant: holders.isHolding)
      #expect(ended)
      #expect(Reactor.monotonic() - begun >= 1)
    }
    #expect(!mount.holders.isHolding(mount.pid))
  }

  @Test func aProcessThatHeedsTheRequestIsNotWaitedForLonger() throws {
    let mount = try PrivateMount("cd \"$DIR\"; echo ready; exec sleep 600")
    try withReactor { reactor in
      var ending = ProcessEnding(reactor: reactor)
      ending.grace = 60
      let begun = Reactor.monotonic()
      try ending.end([mount.pid], stillMeant: mount.holders.isHolding)
      #expect(Reactor.monotonic() - begun < 30)
    }
  }

  @Test func aProcessThatHasLeftIsLeftAlone() throws {
    let process = try #require(try? Process.run(URL(fileURLWithPath: "/bin/sleep"), arguments: ["600"]))
    defer { kill(process.processIdentifier, SIGKILL) }
    try withReactor { reactor in
      let ended = try ProcessEnding(reactor: reactor).end([process.processIdentifier]) { _ in false }
      #expect(!ended)
    }
    #expect(process.isRunning)
  }

  @Test func theRequestIsEnoughForOneThatThenLeaves() throws {
    let mount = try PrivateMount("trap 'exec 7>&-' TERM; exec 7>\"$DIR/log\"; echo ready; while :; do sleep 0.1; done")
    try withReactor { reactor in
      var ending = ProcessEnding(reactor: reactor)
      ending.grace = 2
      let holders = mount.holders
      try ending.end([mount.pid]) { pid in
        holders.processes().contains { $0.pid == pid && $0.use == .file }
      }
    }
    #expect(mount.isRunning)
  }
}
