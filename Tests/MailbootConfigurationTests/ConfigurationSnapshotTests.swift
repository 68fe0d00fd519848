import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootConfiguration
@testable import MailbootHost

/// What `status` knows of the configuration without reading TOML.
@Suite(.enabled(if: geteuid() == 0, "only root keeps it"))
struct ConfigurationSnapshotTests {
  private let place: TemporaryDirectory
  private let run: RuntimeDirectory
  private var main: String { place.file("mailboot.toml") }
  private var further: String { place.file("mailboot.toml.d/10.toml") }

  init() throws {
    place = try TemporaryDirectory()
    run = RuntimeDirectory(path: place.file("run"))
    try run.prepare()
    try FileManager.default.createDirectory(atPath: main + ".d", withIntermediateDirectories: true)
    try place.write(
      "mailboot.toml",
      """
      [vault]
      device = "/dev/\\u00e4"
      options = ["ro", "noatime"]
      [unlock]
      attempts = 5
      [wait]
      ask = true
      [[service]]
      name = "dovecot"
      [[service]]
      name = "postfix"
      after = ["dovecot"]
      probe = "smtp://[::1]:25"
      """)
    try place.write("mailboot.toml.d/10.toml", "[vault]\nmount = \"/srv\"\n")
  }

  @discardableResult
  private func read(settling: Double = 0) throws -> Configuration {
    // The kernel stamps files with its last clock tick.
    usleep(20_000)
    return try ConfigurationFiles(main: main, required: false, keptIn: run, settling: settling).configuration
  }

  private func known() -> Configuration? { ConfigurationSnapshot.current(run, main: main) }

  @Test func noFileMeansTheDefaults() {
    #expect(ConfigurationSnapshot.current(run, main: place.file("none.toml")) == Configuration())
  }

  @Test func filesThatNobodyHasReadAreNotKnown() {
    #expect(known() == nil)
  }

  @Test func whatWasReadIsKnown() throws {
    let configuration = try read()
    #expect(configuration.vault.mount == "/srv" && configuration.services.count == 2)
    #expect(known() == configuration)
  }

  enum Change: CaseIterable {
    case mainWritten, mainReplaced, mainRemoved, furtherWritten, furtherRemoved, anotherAdded, directoryRemoved
  }

  @Test(arguments: Change.allCases)
  func whatHasChangedSinceIsNotKnown(_ change: Change) throws {
    try read()
    let files = FileManager.default
    switch change {
    case .mainWritten:
      let handle = try #require(FileHandle(forUpdatingAtPath: main))
      try handle.write(contentsOf: Data("[vault]".utf8))
      try handle.close()
    case .mainReplaced:
      try place.write("new", try String(contentsOfFile: main, encoding: .utf8))
      try #require(rename(place.file("new"), main) == 0)
    case .mainRemoved: try files.removeItem(atPath: main)
    case .furtherWritten: try place.write("mailboot.toml.d/10.toml", "[vault]\nmount = \"/mnt\"\n")
    case .furtherRemoved: try files.removeItem(atPath: further)
    case .anotherAdded: try place.write("mailboot.toml.d/20.toml", "[vault]\nmount = \"/mnt\"\n")
    case .directoryRemoved: try files.removeItem(atPath: main + ".d")
    }
    #expect(known() == nil)
    #expect(try read() == known())
  }

  @Test(arguments: ["mailboot.toml", "mailboot.toml.d/10.toml", "mailboot.toml.d", ""])
  func whatNotEverybodyMayReadIsNotKept(_ name: String) throws {
    try read()
    try #require(known() != nil)
    try #require(chmod(place.file(name), 0o750) == 0)
    try read()
    #expect(known() == nil)
    #expect(!FileManager.default.fileExists(atPath: place.file("run/configuration.json")))
  }

  @Test func whatHasJustChangedIsNotKeptYet() throws {
    // Another change within the same tick would look the same.
    try read(settling: 3600)
    #expect(known() == nil)
  }

  @Test func whatIsTheSameIsNotWrittenAgain() throws {
    try read()
    let path = place.file("run/configuration.json")
    let first = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    try read()
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == first)
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.path) == ["configuration.json"])
  }

  @Test func withoutOurDirectoryNothingIsWritten() throws {
    try FileManager.default.removeItem(atPath: run.path)
    try read()
    #expect(!FileManager.default.fileExists(atPath: run.path))
  }

  @Test func whatIsWrongIsNotKept() throws {
    try place.write("mailboot.toml", "[vault]\nmapping = 1\n")
    #expect(throws: Failure.self) { try read() }
    #expect(known() == nil)
  }

  @Test(arguments: ["", "{", "{}", "{\"files\":{},\"configuration\":{}}", "{\"files\":[],\"configuration\":null}"])
  func aDamagedOneCountsForNothing(_ text: String) throws {
    try read()
    try place.write("run/configuration.json", text)
    #expect(known() == nil)
  }
}
