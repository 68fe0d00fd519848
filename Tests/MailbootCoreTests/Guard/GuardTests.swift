import JSON
import MailbootCore
import Testing

struct GuardTests {
  @Test(arguments: [
    (false, ["AssertPathIsMountPoint=/vault", "AssertPathExists=/run/mailboot/verified"]),
    (
      true,
      [
        "AssertPathIsMountPoint=/vault", "AssertPathExists=/run/mailboot/verified-door",
      ]
    ),
  ])
  func theDropInAssertsTheMountAndThatItWasVerifiedAndFollowsIt(_ isDoor: Bool, _ assertions: [String]) throws {
    let text = try #require(GuardDropIn.text(mounts: [("/vault", "vault.mount")], isDoor: isDoor))
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == GuardDropIn.marker)
    #expect(
      Array(lines.dropFirst()) == ["[Unit]"] + assertions + ["After=vault.mount", "StopPropagatedFrom=vault.mount"])
    #expect(GuardDropIn.mounts(in: text) == ["/vault"])
    #expect(text.hasSuffix("\n"))
  }

  @Test(arguments: ["/vault", "/srv/my vault", "/a%b%%c", "/ü"])
  func theMountPointIsReadBack(_ mount: String) throws {
    let text = try #require(GuardDropIn.text(mounts: [(mount, "x.mount")], isDoor: false))
    #expect(GuardDropIn.mounts(in: text) == [mount])
  }

  @Test func aUnitThatNamesAVaultAssertsThatMountToo() throws {
    let text = try #require(
      GuardDropIn.text(
        mounts: [("/vault", "vault.mount"), ("/vault-backup", "vault\\x2dbackup.mount")], isDoor: false))
    #expect(text.contains("AssertPathIsMountPoint=/vault\nAssertPathIsMountPoint=/vault-backup\n"))
    #expect(text.contains("StopPropagatedFrom=vault\\x2dbackup.mount\n"))
    #expect(GuardDropIn.mounts(in: text) == ["/vault", "/vault-backup"])
  }

  @Test func aPercentSignIsNoSpecifier() throws {
    let text = try #require(GuardDropIn.text(mounts: [("/a%h", "x.mount")], isDoor: false))
    #expect(text.contains("AssertPathIsMountPoint=/a%%h\n"))
  }

  @Test(arguments: ["vault", "/vault\n[Service]\nExecStartPre=/bin/sh", "/vault\\", "/vault ", "/va\u{7f}lt"])
  func aPathThatAUnitFileCannotHoldGivesNone(_ mount: String) {
    #expect(GuardDropIn.text(mounts: [(mount, "x.mount")], isDoor: false) == nil)
  }

  @Test(arguments: ["", "[Unit]\nAssertPathIsMountPoint=/vault\n", " \(GuardDropIn.marker)\n", GuardDropIn.marker])
  func aFileWithoutTheMarkerIsNotOurs(_ text: String) {
    #expect(!GuardDropIn.isOurs(text))
    #expect(GuardDropIn.mounts(in: text) == [])
  }

  @Test(
    arguments: [
      (.guarded, .immutable, 0), (.guarded, .unsupported, 0), (.guarded, .unknown("x"), 0), (.guarded, .writable, 3),
      (.guarded, .missing, 3), (.guarded, .notEmpty(["a"]), 3), (.unguarded, .immutable, 3), (.differs, .immutable, 3),
      (.stale, .immutable, 3), (.foreign, .immutable, 3),
    ] as [(GuardReport.UnitState, GuardReport.MountPointState, Int32)])
  func whatIsLeftToDoIsExitCode3(
    _ unit: GuardReport.UnitState, _ mountPoint: GuardReport.MountPointState, _ code: Int32
  ) {
    let report = GuardReport(
      units: [
        .init(name: "a.service", file: "/a", state: .guarded), .init(name: "b.service", file: "/b", state: unit),
      ], mountPoints: [.init(path: "/vault", state: mountPoint)])
    #expect(report.exitCode == code)
    let json = report.json().rendered()
    #expect(json.contains("\"guarded\": \(code == 0)"))
    #expect(json.contains("\"state\": \"\(unit.rawValue)\""))
    #expect(json.contains("\"state\": \"\(mountPoint.word)\""))
  }
}
