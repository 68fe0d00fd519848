import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// Files that root writes where others may write, too.
struct BackupFileTests {
  /// Whoever owns the directory may put a link in the place of what has just been written.
  @Test func aBackupThatBecameALinkChangesNoOtherFile() throws {
    let directory = try TemporaryDirectory()
    let other = try directory.write("other", "x", mode: 0o644)
    symlink(other, directory.file("backup.1.new"))
    let work = try VaultWork(configuration: Configuration(), reactor: try Reactor()) { _ in }
    #expect(throws: Failure.self) {
      try work.finishBackup(directory.file("backup.1.new"), directory.file("backup"))
    }
    #expect(fileMode(other) == 0o644)
    #expect(try directory.names() == ["other"])
    _ = try directory.write("backup.1.new", "header", mode: 0o400)
    try work.finishBackup(directory.file("backup.1.new"), directory.file("backup"))
    #expect(fileMode(directory.file("backup")) == 0o600)
  }

  /// sfdisk counts a bare number in sectors of the disk: of 4096 bytes on some.
  @Test func aPartitionGrowsByBytesWhateverTheSectors() {
    #expect(VaultWork.partitionLine(20 << 30) == ",20971520KiB\n")
  }

  private func fileMode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}
