import CLinux
import Glibc
import Linux
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

struct GuardFilesTests {
  private let ours = GuardDropIn.text(mounts: [("/vault", "vault.mount")], isDoor: false) ?? ""

  @Test func aFileIsWrittenOnceAndRemovedWithItsDirectory() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path)
    #expect(try files.write(ours, for: "postfix@.service") == .changed)
    #expect(try files.write(ours, for: "postfix@.service") == .unchanged)
    #expect(try files.write(ours + "# more\n", for: "postfix@.service") == .changed)
    #expect(listDirectory("\(directory.path)/postfix@.service.d") == [GuardDropIn.fileName])
    #expect(files.all().map(\.unit) == ["postfix@.service"])
    #expect(files.all().allSatisfy { $0.isOurs })

    try files.remove("postfix@.service")
    #expect(listDirectory(directory.path) == [])
    try files.remove("postfix@.service")
  }

  @Test func theFileIsForAllToReadWhateverTheUmask() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path)
    let before = umask(0o077)
    defer { umask(before) }
    _ = try files.write(ours, for: "a.service")
    #expect(fileStatus(files.file(of: "a.service")).map { $0.st_mode & 0o777 } == 0o644)
    #expect(fileStatus("\(directory.path)/a.service.d").map { $0.st_mode & 0o777 } == 0o755)
  }

  @Test func dropInsOfOthersStayAndKeepTheirDirectory() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path)
    _ = try files.write(ours, for: "a.service")
    let other = "\(directory.path)/a.service.d/local.conf"
    symlink("/dev/null", other)
    try files.remove("a.service")
    #expect(listDirectory("\(directory.path)/a.service.d") == ["local.conf"])
  }

  @Test func aFileOfAnotherIsNotTakenForOurs() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path)
    _ = try files.write("[Unit]\n", for: "a.service")
    #expect(files.find("a.service")?.isOurs == false)
    #expect(files.find("b.service") == nil)
  }

  @Test func whatCannotBeWrittenIsAnError() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path + "/missing")
    #expect(throws: Failure.self) { try files.write(ours, for: "a.service") }
    #expect(files.all().isEmpty)
  }

  /// Whoever made the mount point immutable by hand finds it so.
  @Test func withoutAFileOfOursRemovingTakesNothingBack() throws {
    let directory = try TemporaryDirectory()
    let files = GuardFiles(directory: directory.path)
    var configuration = Configuration()
    configuration.vault.mount = directory.file("vault")
    mkdir(configuration.vault.mount, 0o755)
    let subject = Guard(configuration: configuration, files: files)
    #expect(try subject.remove(warn: { Issue.record("\($0)") }).isEmpty)
  }
}
