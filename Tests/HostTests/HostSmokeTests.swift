import Foundation
import SceneSupport
import Testing

@testable import MachineKit

/// That native hosts themselves do what the other tests rely on.
struct HostSmokeTests {
  @Test(arguments: Release.allCases)
  func aFreshHostRunsCommandsAndBootsAgainFromItsDisk(_ release: Release) async throws {
    let host = try await NativeHost.fresh(release)
    defer { host.close() }
    #expect(try await host.succeed("systemctl is-system-running") == "running\n")

    let output = try await host.run("cat; echo problem >&2; exit 7", stdin: Data("typed".utf8))
    #expect(output.status == 7)
    #expect(output.stdout == "typed")
    #expect(output.stderr == "problem\n")

    try await host.succeed("echo kept >/root/kept; echo gone >/run/gone")
    try await host.powerCut()
    await #expect(throws: MachineError.self) { try await host.run("true") }
    try await host.bootAgain()
    #expect(try await host.succeed("cat /root/kept; ls /run/gone 2>&1 || true").hasPrefix("kept\nls: cannot access"))
    try await host.reboot()
    #expect(try await host.succeed("cat /root/kept") == "kept\n")
  }

  @Test func theConsolesTakeTyping() async throws {
    let host = try await NativeHost.fresh(.debian12)
    defer { host.close() }
    try await host.ttyS0.logIn()
    try host.ttyS0.send("tty; echo $((6 * 7))\n")
    try await host.ttyS0.expect(matching: "/dev/pts/[0-9]+\n42\n")
    try host.ttyS1.send("id -un; stty -a | grep -o isig\n")
    try await host.ttyS1.expect("root\nisig\n")
    await #expect(throws: MachineError.self) {
      try await host.ttyS1.expect("never printed", timeout: .milliseconds(200))
    }
  }

  @Test func filesGoInAndOutUnchanged() async throws {
    let host = try await NativeHost.fresh(.debian12)
    defer { host.close() }
    let data = Data((0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try await host.put("/root/it's a file", data, mode: 0o640)
    #expect(try await host.get("/root/it's a file") == data)
    #expect(try await host.succeed("stat -c %a:%U \"/root/it's a file\"") == "640:root\n")
  }

  @Test func aCommandThatTakesTooLongIsKilled() async throws {
    let host = try await NativeHost.fresh(.debian12)
    defer { host.close() }
    await #expect { try await host.run("sleep 600 & sleep 601", timeout: .seconds(2)) } throws: {
      ($0 as? MachineError)?.kind == .timedOut
    }
    try await host.succeed("for try in {1..50}; do pgrep -x sleep || exit 0; sleep 0.1; done; exit 1")
  }

  @Test func aHostReachesNobodyButWhomItIsJoinedTo() async throws {
    let here = try await NativeHost.fresh(.debian12)
    defer { here.close() }
    let there = try await NativeHost.fresh(.debian13, with: Package.find(), isSecond: true)
    defer { there.close() }
    let look = "ls /sys/class/net; ip -4 route"
    #expect(try await here.succeed(look) == "lo\n")
    try await here.connect("192.0.2.1/24", to: there, "192.0.2.2/24")
    try await there.succeed("mkdir /run/served; echo from there >/run/served/page")
    let server = try await there.start("python3 -m http.server --bind 192.0.2.2 8080 --directory /run/served")
    let page = "curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 http://192.0.2.2:8080/page"
    #expect(try await here.succeed(page) == "from there\n")
    #expect(try await here.run("curl --silent --max-time 5 http://198.51.100.1/").status != 0)
    try await server.signal("TERM")
  }

  @Test func nothingIsLeftOfAHostWhoseKeeperWasKilled() async throws {
    let host = try await NativeHost.fresh(.debian12)
    let directory = host.directory
    let process = try host.serverProcess()
    #expect(kill(process, 0) == 0)
    try host.keeper().signal(SIGKILL)
    // As the next start does it: it fails when a process or a control group cannot be removed.
    try NativeHost.remove(directory)
    #expect(kill(process, 0) != 0, "its processes are gone with it")
    host.close()
    #expect(!FileManager.default.fileExists(atPath: directory))
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    #expect(!mounts.contains(directory))
  }
}
