import Foundation
import MailbootCore
import MailbootHost
import TestSupport
import Testing

@testable import MailbootConfiguration

/// The main file and its drop-ins, from disk.
struct ConfigurationFilesTests {
  private let place: TemporaryDirectory
  private var main: String { place.file("mailboot.toml") }

  init() throws {
    place = try TemporaryDirectory()
  }

  private func read() throws -> ConfigurationFiles { try ConfigurationFiles(path: main) }

  /// What is wrong, with the file's name alone.
  private func complaint() -> String? {
    do {
      _ = try ConfigurationFiles(path: main)
      return nil
    } catch {
      guard error.exitCode == .configuration, case .configuration(let all) = error, let issue = all.issues.first else {
        return "another failure: \(error)"
      }
      #expect(all.issues.count == 1)
      return "\(issue.origin.file.dropFirst(place.path.count + 1)): \(issue.line)"
    }
  }

  @Test func dropInsWinKeyByKeyInTheOrderOfTheirNames() throws {
    try place.write("mailboot.toml", "[vault]\nmount = \"/a\"\nmapping = \"a\"\nfilesystem = \"xfs\"")
    try place.write("mailboot.toml.d/20-b.toml", "[vault]\nmount = \"/late\"")
    try place.write(
      "mailboot.toml.d/10-a.toml", "[vault]\nmount = \"/early\"\nmapping = \"early\"\n[unlock]\nattempts = 9")
    let read = try read()
    #expect(read.configuration.vault.mount == "/late")
    #expect(read.configuration.vault.mapping == "early")
    #expect(read.configuration.vault.filesystem == "xfs")
    #expect(read.configuration.unlock.attempts == 9)
    #expect(
      read.files == [main, place.file("mailboot.toml.d/10-a.toml"), place.file("mailboot.toml.d/20-b.toml")])
  }

  @Test func theFirstServiceOfADropInReplacesTheWholeList() throws {
    try place.write(
      "mailboot.toml", "[[service]]\nname = \"a\"\n[[service]]\nname = \"b\"\n[[bind]]\nfrom=\"/v\"\nto=\"/w\"")
    try place.write("mailboot.toml.d/x.toml", "[[service]]\nname = \"c\"")
    let read = try read().configuration
    #expect(read.services.map(\.name) == ["c"])
    #expect(read.binds.count == 1)
  }

  @Test func otherFilesOfTheDirectoryAreNotRead() throws {
    try place.write("mailboot.toml", "")
    for name in ["x.toml~", "x.toml.dpkg-new", ".x.toml", "README"] {
      try place.write("mailboot.toml.d/\(name)", "not = = toml")
    }
    #expect(try read().files == [main])
  }

  @Test func aSymbolicLinkIsAFile() throws {
    let target = try place.write("elsewhere", "[unlock]\nattempts = 7")
    try FileManager.default.createSymbolicLink(atPath: main, withDestinationPath: target)
    #expect(try read().configuration.unlock.attempts == 7)
  }

  @Test func anErrorIsPlacedInTheFileThatHasIt() throws {
    try place.write("mailboot.toml", "[vault]\nmount = \"/a\"\n")
    try place.write("mailboot.toml.d/x.toml", "\n[vault]\n  mount = 3")
    #expect(
      complaint()
        == "mailboot.toml.d/x.toml: 3:3 vault.mount is an integer | an absolute path other than \"/\", such as \"/vault\""
    )
  }

  @Test func anUnknownKeyIsPlacedInTheFileThatHasItThoughALaterOneHasTheTable() throws {
    try place.write("mailboot.toml", "[vault]\nmont = \"/a\"\n")
    try place.write("mailboot.toml.d/x.toml", "[vault]\nmount = \"/b\"")
    #expect(complaint() == "mailboot.toml: 2:1 vault.mont is not a known key; did you mean \"mount\"?")
  }

  @Test func aNamedFileMustBeThere() {
    #expect(complaint() == "mailboot.toml: 0:0  cannot be read: No such file or directory")
  }

  @Test func whatCannotBeReadIsSaid() throws {
    try FileManager.default.createDirectory(atPath: main, withIntermediateDirectories: true)
    #expect(complaint() == "mailboot.toml: 0:0  cannot be read: Is a directory")
  }

  @Test func aDropInDirectoryThatIsNoneIsSaid() throws {
    try place.write("mailboot.toml", "")
    try place.write("mailboot.toml.d", "")
    #expect(complaint() == "mailboot.toml.d: 0:0  cannot be read: Not a directory")
  }

  @Test func whatIsNotUTF8IsSaid() throws {
    try place.write("mailboot.toml", Data([0x61, 0x3d, 0x22, 0xff, 0x22]))
    #expect(complaint() == "mailboot.toml: 0:0  is not UTF-8")
  }

  @Test func whatIsTooLargeIsSaid() throws {
    try place.write("mailboot.toml", Data(repeating: 0x0a, count: (1 << 20) + 1))
    #expect(complaint() == "mailboot.toml: 0:0  is larger than 1 MiB")
    try place.write("mailboot.toml", Data(repeating: 0x0a, count: 1 << 20))
    #expect(complaint() == nil)
  }

  @Test func aPipeInItsPlaceDoesNotStopTheProgram() throws {
    try #require(mkfifo(main, 0o600) == 0)
    // With nobody writing it is empty.
    #expect(complaint() == nil)
  }

  @Test func withNoFileAtTheStandardPlaceTheDefaultsApply() throws {
    try #require(!FileManager.default.fileExists(atPath: ConfigurationFiles.standardPath))
    let read = try ConfigurationFiles(path: nil)
    #expect(read.configuration == Configuration())
    #expect(read.files.isEmpty)
  }
}
