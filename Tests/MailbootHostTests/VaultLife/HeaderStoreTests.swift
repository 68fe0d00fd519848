import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// What is noted of backups of headers.
struct HeaderStoreTests {
  private func record(_ path: String) -> HeaderBackupRecord {
    HeaderBackupRecord(uuid: "u-1", path: path, at: 1000, fingerprint: "f", sha256: "s")
  }

  @Test func aBackupIsKnownAsLongAsItsFileIsThere() throws {
    let directory = try TemporaryDirectory()
    let store = HeaderStore(path: directory.file("state/headers"))
    #expect(store.state("u-1", fingerprint: "f").state == .none)
    let backup = try directory.write("backup", "x")
    try store.store(record(backup))
    #expect(store.state("u-1", fingerprint: "f") == HeaderBackupState(state: .current, path: backup, at: 1000))
    #expect(store.state("u-1", fingerprint: "g").state == .older)
    #expect(store.state("u-2", fingerprint: "f").state == .none)
    try FileManager.default.removeItem(atPath: backup)
    #expect(store.state("u-1", fingerprint: "f").state == .none)
  }

  @Test func theDirectoryIsForItsOwnerAlone() throws {
    let directory = try TemporaryDirectory()
    let store = HeaderStore(path: directory.file("state/headers"))
    try store.store(record("/b"))
    #expect(fileMode(store.path) == 0o700)
    try FileManager.default.createDirectory(atPath: directory.file("open"), withIntermediateDirectories: false)
    chmod(directory.file("open"), 0o777)
    #expect(throws: Failure.self) { try HeaderStore(path: directory.file("open")).prepare() }
    // Another one's by a link.
    symlink(directory.file("state/headers"), directory.file("link"))
    #expect(throws: Failure.self) { try HeaderStore(path: directory.file("link")).prepare() }
  }

  @Test func aRestoreThatWasCutOffIsFoundByItsDevice() throws {
    let directory = try TemporaryDirectory()
    let store = HeaderStore(path: directory.file("headers"))
    #expect(store.interruptedRestore(onto: "/dev/x", known: nil) == nil)
    let mark = HeaderStore.RestoreMark(
      uuid: "u-1", file: "/b", target: "/dev/x", device: "PARTUUID=p-1", copy: "/c", at: 1)
    try store.store(mark)
    #expect(store.interruptedRestore(onto: "/dev/x", known: nil) == mark && store.interruptedRestore("u-1") == mark)
    #expect(store.interruptedRestore(onto: "/dev/y", known: nil) == nil)
    // Disks change their paths from one boot to the next.
    #expect(store.interruptedRestore(onto: "/dev/y", known: "PARTUUID=p-1") == mark)
    #expect(store.interruptedRestore(onto: "/dev/y", known: "PARTUUID=p-2") == nil)
    store.removeMark("u-1")
    #expect(store.interruptedRestore("u-1") == nil)
  }

  @Test func whatADeadProcessWasWritingIsTakenAway() throws {
    let directory = try TemporaryDirectory()
    let store = HeaderStore(path: directory.file("headers"))
    try store.prepare()
    // No process has this number: it is above the kernel's limit.
    let left = try directory.write("headers/u.header.4194305.new", "half")
    let ours = try directory.write("headers/u.header.\(getpid()).new", "half")
    try store.prepare()
    #expect(!FileManager.default.fileExists(atPath: left) && FileManager.default.fileExists(atPath: ours))
  }

  private func fileMode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}
