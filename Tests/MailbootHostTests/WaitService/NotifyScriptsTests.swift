import Foundation
import TestSupport
import Testing

@testable import MailbootHost

/// What of `notify.d` is run, on real files. As root, because only root can give a file away.
@Suite(.enabled(if: geteuid() == 0, "only root can give a file away"))
struct NotifyScriptsTests {
  private let place: TemporaryDirectory
  private let directory: String

  init() throws {
    place = try TemporaryDirectory()
    directory = place.file("notify.d")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    chmod(directory, 0o755)
  }

  @discardableResult
  private func script(_ name: String, mode: mode_t = 0o755, owner: uid_t = 0) throws -> String {
    let path = try place.write("notify.d/\(name)", "#!/bin/sh\n")
    try #require(chmod(path, mode) == 0 && chown(path, owner, 0) == 0)
    return path
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(directory)/\(name)", withDestinationPath: target)
  }

  /// The reason for the one thing that is not run.
  private func onlyReason() throws -> String {
    let (scripts, problems) = NotifyScripts.list(directory)
    try #require(scripts.isEmpty && problems.count == 1, "\(scripts) \(problems)")
    return problems[0].reason
  }

  @Test func executablesRunInTheOrderOfTheirNames() throws {
    let names = ["20-b", "10-a", "9", "Mail.sh", "a_b-c.d"]
    for name in names { try script(name) }
    let (scripts, problems) = NotifyScripts.list(directory)
    #expect(scripts == names.sorted().map { "\(directory)/\($0)" })
    #expect(problems.isEmpty)
  }

  @Test func aMissingDirectoryHasNothingToRun() {
    let (scripts, problems) = NotifyScripts.list(place.file("nowhere"))
    #expect(scripts.isEmpty && problems.isEmpty)
  }

  @Test(arguments: [
    "a~", ".hidden", "a.dpkg-old", "a.dpkg-new", "a.dpkg-dist", "#a#", "a.bak", ".a.swp", "a.ucf-dist",
  ])
  func whatEditorsAndDpkgLeaveIsPassedOverInSilence(_ name: String) throws {
    try script(name)
    let (scripts, problems) = NotifyScripts.list(directory)
    #expect(scripts.isEmpty && problems.isEmpty)
  }

  @Test(arguments: ["a b", "a\nb", "ä", "a;b", "a$b", "a:b"])
  func anOddNameIsRefused(_ name: String) throws {
    try script(name)
    #expect(try onlyReason() == "its name has other characters than letters, digits, \"_-.\"")
  }

  @Test(arguments: [0o775, 0o757, 0o777, 0o4757] as [mode_t])
  func whatOthersMayWriteToIsRefused(_ mode: mode_t) throws {
    let path = try script("10-a", mode: mode)
    #expect(try onlyReason() == "\(path) is writable by others than its owner")
  }

  @Test func whatBelongsToSomebodyElseIsRefused() throws {
    let path = try script("10-a", owner: 65534)
    #expect(try onlyReason() == "\(path) does not belong to root")
  }

  @Test func whatIsNotExecutableIsRefused() throws {
    try script("10-a", mode: 0o644)
    #expect(try onlyReason() == "it is not executable")
  }

  @Test func whatIsNoFileIsRefused() throws {
    try FileManager.default.createDirectory(atPath: "\(directory)/sub", withIntermediateDirectories: false)
    chmod("\(directory)/sub", 0o755)
    #expect(try onlyReason() == "it is not a file")
    rmdir("\(directory)/sub")
    try #require(mkfifo("\(directory)/pipe", 0o700) == 0)
    #expect(try onlyReason() == "it is not a file")
  }

  @Test func aLinkToAnExecutableOfRootsRuns() throws {
    try link("10-true", to: "/usr/bin/true")
    try place.write("lib/tool", "#!/bin/sh\n")
    chmod(place.file("lib"), 0o755)
    chmod(place.file("lib/tool"), 0o755)
    try link("20-tool", to: "../lib/./tool")
    let (scripts, problems) = NotifyScripts.list(directory)
    #expect(scripts == ["\(directory)/10-true", "\(directory)/20-tool"])
    #expect(problems.isEmpty)
  }

  @Test func aLinkIsOnlyAsGoodAsEveryStepOfItsWay() throws {
    // A directory of somebody else, in it a link to a program of root's: it can be turned elsewhere at any time.
    let home = place.file("home")
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: "\(home)/tool", withDestinationPath: "/usr/bin/true")
    chmod(home, 0o755)
    try #require(chown(home, 65534, 65534) == 0)
    try link("10-tool", to: "\(home)/tool")
    #expect(try onlyReason() == "\(home) does not belong to root")
    try #require(chown(home, 0, 0) == 0 && chmod(home, 0o777) == 0)
    #expect(try onlyReason() == "\(home) is writable by others than its owner")
    // The link itself, in a sticky directory, belongs to another.
    try #require(chmod(home, 0o1777) == 0 && lchown("\(home)/tool", 65534, 65534) == 0)
    #expect(try onlyReason() == "\(home)/tool does not belong to root")
  }

  @Test func linksThatLeadNowhereOrInCirclesAreRefused() throws {
    try link("10-gone", to: "gone")
    #expect(try onlyReason() == "\(directory)/gone: No such file or directory")
    unlink("\(directory)/10-gone")
    try link("10-circle", to: "10-circle")
    #expect(try onlyReason() == "\(directory)/10-circle has too many symbolic links")
  }

  @Test(arguments: [0o777, 0o775, 0o1777] as [mode_t])
  func nothingRunsFromADirectoryThatOthersMayWriteTo(_ mode: mode_t) throws {
    try script("10-a")
    chmod(directory, mode)
    #expect(try onlyReason() == "\(directory) is writable by others than its owner")
  }

  @Test func nothingRunsBelowADirectoryOfSomebodyElse() throws {
    try script("10-a")
    try #require(chown(place.path, 65534, 0) == 0)
    #expect(try onlyReason() == "\(place.path) does not belong to root")
  }

  @Test func oneBadExecutableDoesNotKeepTheOthersFromRunning() throws {
    try script("10-a")
    try script("20-b", mode: 0o777)
    try script("30-c")
    let (scripts, problems) = NotifyScripts.list(directory)
    #expect(scripts == ["\(directory)/10-a", "\(directory)/30-c"])
    #expect(
      problems.map(\.description) == [
        "\(directory)/20-b is not run: \(directory)/20-b is writable by others than its owner"
      ])
  }

  @Test func aProblemIsReportedOnceUntilItCameBack() throws {
    let path = try script("10-a", mode: 0o777)
    var scripts = NotifyScripts(directory: directory)
    #expect(scripts.current().newProblems.count == 1)
    #expect(scripts.current().newProblems.isEmpty)
    chmod(path, 0o755)
    let (found, problems) = scripts.current()
    #expect(found == [path] && problems.isEmpty)
    chmod(path, 0o777)
    #expect(scripts.current().newProblems.count == 1)
  }
}
