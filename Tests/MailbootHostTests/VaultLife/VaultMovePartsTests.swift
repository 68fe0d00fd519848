import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// The parts of a move that take neither a service nor an encrypted vault: any file system stands for one.
struct VaultMovePartsTests {
  private static let mayMount = (try? runInShell("unshare -m mount -t tmpfs none /mnt").status) == 0

  /// A file system of its own while `body` runs.
  private func withMount(_ body: (TemporaryDirectory, String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    let mount = directory.file("vault")
    #expect(try runInShell("mkdir \(mount) && mount -t tmpfs none \(mount)").status == 0)
    defer { _ = try? runInShell("umount --recursive \(mount)") }
    try body(directory, mount)
  }

  /// Of a service with a namespace of its own, as `PrivateTmp=` makes one: its mount is another one than the host's.
  @Test(.enabled(if: mayMount, "nothing can be mounted here"))
  func whatIsFrozenNobodyWritesToWhateverHisNamespace() throws {
    try withMount { directory, mount in
      let frozen = VaultFreeze(mount: mount, mark: directory.file("frozen"))
      let ready = directory.file("ready")
      let other = Process()
      other.executableURL = URL(fileURLWithPath: "/bin/sh")
      other.arguments = [
        "-c",
        "exec unshare -m --propagation slave sh -c 'echo >\(ready); while [ -e \(ready) ]; do sleep 0.05; done; echo >\(mount)/late'",
      ]
      other.standardError = FileHandle.nullDevice
      try other.run()
      while !FileManager.default.fileExists(atPath: ready) { usleep(20_000) }
      try frozen.freeze()
      #expect(throws: (any Error).self) { try Data().write(to: URL(fileURLWithPath: mount + "/own")) }
      try FileManager.default.removeItem(atPath: ready)
      other.waitUntilExit()
      #expect(other.terminationStatus != 0 && !FileManager.default.fileExists(atPath: mount + "/late"))
      try frozen.thaw()
      try Data().write(to: URL(fileURLWithPath: mount + "/own"))
    }
  }

  @Test(.enabled(if: mayMount, "nothing can be mounted here"))
  func whoHasAFileOpenForWritingHoldsTheFreezeUp() throws {
    try withMount { directory, mount in
      let frozen = VaultFreeze(mount: mount, mark: directory.file("frozen"))
      let path = mount + "/open"
      try Data().write(to: URL(fileURLWithPath: path))
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      #expect(throws: Failure.self) { try frozen.freeze() }
      try file.close()
      try Data().write(to: URL(fileURLWithPath: mount + "/more"))
      try frozen.freeze()
      try frozen.thaw()
    }
  }

  @Test(.enabled(if: mayMount, "nothing can be mounted here"))
  func whereAnotherFileSystemBeginsIsFound() throws {
    try withMount { _, mount in
      let copy = TreeCopy(from: mount, to: mount, adviceIfFull: "", reactor: try Reactor())
      _ = try runInShell("mkdir -p '\(mount)/a b/c' \(mount)/d")
      #expect(try copy.borders() == [])
      _ = try runInShell("mount -t tmpfs none '\(mount)/a b/c' && mkdir '\(mount)/a b/c/e'")
      #expect(try copy.borders() == [mount + "/a b/c"])
    }
  }

  /// After a boot the device of the vault before may have another name.
  @Test func theVaultBeforeIsKnownByItsUUID() throws {
    let directory = try TemporaryDirectory()
    let paths = MovePaths(main: directory.file("mailboot.toml"))
    #expect(paths.previousTable == nil && paths.previousUUID == nil)
    let table = Configuration.Vault().table
    try paths.write(paths.previous, Array(paths.noting("1-2", in: table).utf8))
    #expect(paths.previousTable == table && paths.previousUUID == "1-2")
    #expect(paths.noting("1-2", in: paths.noting("1-2", in: table)) == paths.noting("1-2", in: table), "each way back")
    try paths.write(paths.previous, Array(paths.noting(nil, in: table).utf8))
    #expect(paths.previousTable == table && paths.previousUUID == nil)
  }
}
