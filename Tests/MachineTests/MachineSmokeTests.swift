import Foundation
import MachineKit
import SceneSupport
import Testing

/// That the machines themselves do what the other tests rely on.
@Suite(.serialized)
struct MachineSmokeTests {
  @Test(arguments: Release.allCases)
  func aFreshMachineRunsCommandsAndSurvivesAPowerCut(_ release: Release) async throws {
    let machine = try await Machine.fresh(release)
    defer { machine.close() }

    let output = try await machine.run("cat; echo problem >&2; exit 7", stdin: Data("typed".utf8))
    #expect(output.status == 7)
    #expect(output.stdout == "typed")
    #expect(output.stderr == "problem\n")

    try await machine.succeed("echo kept >/root/kept && sync")
    try await machine.powerCut()
    await #expect(throws: MachineError.self) { try await machine.run("true") }
    try await machine.bootAgain()
    #expect(try await machine.succeed("cat /root/kept") == "kept\n")
  }

  @Test func aStateIsComeBackToWithMemoryDisksAndTime() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    try await machine.succeed("echo before >/root/file; echo before >/run/file")
    try await machine.saveState("before")
    try await machine.succeed("echo after | tee /root/file /run/file; echo vault | dd of=/dev/vdb conv=notrunc; sync")
    for way in ["running", "off"] {
      if way == "off" { try await machine.powerCut() }
      try await machine.restore("before")
      #expect(try await machine.succeed("cat /root/file /run/file") == "before\nbefore\n", "restored while \(way)")
      #expect(try await machine.run("cryptsetup isLuks /dev/vdb").status == 0)
      let clock = try await machine.succeed("date +%s")
      let offset = Date().timeIntervalSince1970 - (Double(clock.dropLast()) ?? 0)
      #expect(abs(offset) < 5)
    }
  }

  @Test func theConsolesTakeTyping() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    try await machine.ttyS0.logIn()
    try machine.ttyS0.send("tty; echo $((6 * 7))\n")
    try await machine.ttyS0.expect("/dev/ttyS0\n42\n")
    try machine.ttyS1.send("tty\n")
    try await machine.ttyS1.expect("/dev/ttyS1\n")
    await #expect(throws: MachineError.self) {
      try await machine.ttyS1.expect("never printed", timeout: .milliseconds(200))
    }
  }

  @Test func filesGoInAndOutUnchanged() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    let data = Data((0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try await machine.put("/root/it's a file", data, mode: 0o640)
    #expect(try await machine.get("/root/it's a file") == data)
    #expect(try await machine.succeed("stat -c %a:%U \"/root/it's a file\"") == "640:root\n")
  }

  @Test func aDiskCanBePluggedInAndItsImageStaysAsItIs() async throws {
    let image = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: image) }
    let contents = Data(repeating: 0x5A, count: 1 << 20)
    try contents.write(to: image)

    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    try await machine.addDrive(image.path, serial: "extra")
    let device = "/dev/disk/by-id/virtio-extra"
    #expect(try await machine.succeed("head -c 4 \(device)") == "ZZZZ")
    try await machine.succeed("echo written | dd of=\(device) conv=fsync,notrunc")
    #expect(try Data(contentsOf: image) == contents)
    try await machine.powerCut()
    try await machine.bootAgain()
    #expect(try await machine.succeed("head -c 7 \(device)") == "written")
  }

  @Test func aCommandThatTakesTooLongIsKilled() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    await #expect { try await machine.run("sleep 600 & sleep 601", timeout: .seconds(2)) } throws: {
      ($0 as? MachineError)?.kind == .timedOut
    }
    try await machine.succeed("for try in {1..50}; do pgrep -x sleep || exit 0; sleep 0.1; done; exit 1")
  }
}
