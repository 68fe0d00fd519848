import Foundation
import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// What `mailboot vault move` copies with, onto a small file system of memory.
@Suite(.enabled(if: geteuid() == 0, "only root may mount")) struct TreeCopyTests {
  /// Two trees, one of which has little room.
  private final class Trees {
    let directory: TemporaryDirectory
    var old: String { directory.file("old") }
    var small: String { directory.file("small") }

    init(options: String) throws {
      directory = try TemporaryDirectory()
      for path in [old, small] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      let mounted = try runInShell("mount -t tmpfs -o \(options) none \(small)")
      try #require(mounted.status == 0, "\(mounted.output)")
    }

    deinit { _ = try? runInShell("umount \(small)") }

    func copy(_ reactor: Reactor) -> TreeCopy {
      TreeCopy(from: old, to: small, adviceIfFull: "take more", reactor: reactor)
    }

    func run(_ command: String) throws {
      let run = try runInShell("cd \(old) && { \(command); }")
      try #require(run.status == 0, "\(run.output)")
    }
  }

  @Test func aFullDiskIsSaidWithWhatToDoAndTheOriginalStays() throws {
    let trees = try Trees(options: "size=1m")
    try trees.run("head -c 3000000 /dev/urandom >mail; echo x >other")
    let before = try Data(contentsOf: URL(fileURLWithPath: trees.old + "/mail"))
    try withReactor { reactor in
      let copy = trees.copy(reactor)
      for isLive in [true, false] {
        #expect(throws: Failure.usage("the new vault is full: the copy is not complete", hint: "take more")) {
          try copy.copy(isLive: isLive, progress: { _ in })
        }
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: trees.old + "/mail")) == before)
      // With less to copy the same place will do.
      try trees.run("rm mail")
      try copy.copy(isLive: false, progress: { _ in })
      #expect(try copy.differences().isEmpty)
    }
  }

  /// Names, sizes and times are on a disk before the content that belongs to them.
  @Test func aFileThatAPowerCutLeftEmptyOfItsContentIsCopiedAgain() throws {
    let trees = try Trees(options: "size=8m")
    try trees.run("head -c 100000 /dev/urandom >mail")
    try withReactor { reactor in
      let copy = trees.copy(reactor)
      #expect(try !copy.hasBegun())
      try copy.copy(isLive: true, progress: { _ in })
      try trees.run("head -c 100000 /dev/zero >\(trees.small)/mail; touch -r mail \(trees.small)/mail")
      #expect(try copy.hasBegun())
      try copy.copy(isLive: true, progress: { _ in })
      #expect(try copy.differences().count == 1)
      try copy.copy(isLive: true, readsAll: true, progress: { _ in })
      #expect(try copy.differences().isEmpty)
    }
  }

  /// A second is long for a mail host.
  @Test func whatChangesInTheSecondOfItsCopyIsCopiedAgain() throws {
    let trees = try Trees(options: "size=8m")
    try trees.run("echo one >mail; touch -d '2026-01-02 03:04:05.1' mail")
    try withReactor { reactor in
      let copy = trees.copy(reactor)
      try copy.copy(isLive: true, progress: { _ in })
      try trees.run(
        "echo two >mail; touch -d '2026-01-02 03:04:05.2' mail; ln -s mail link; touch -h -d '2026-01-02 03:04:05.3' link"
      )
      try copy.copy(isLive: false, progress: { _ in })
      #expect(try copy.differences().isEmpty)
      try trees.run(
        "cmp mail \(trees.small)/mail && test \"$(stat -c %y link)\" = \"$(stat -c %y \(trees.small)/link)\"")
    }
  }

  @Test func whatAnEarlierCopyHasLeftCountsAsRoom() throws {
    let trees = try Trees(options: "size=32m,nr_inodes=100")
    try trees.run("head -c 8000000 /dev/urandom >mail; ln mail again")
    try withReactor { reactor in
      let copy = trees.copy(reactor)
      let before = try copy.room(sharesHost: false)
      #expect(before.shortage == nil, "\(before)")
      // A file with two names is there once.
      #expect(before.content.bytes >= 8_000_000 && before.content.bytes < 9_000_000)
      #expect(before.content.inodes == 2)
      try copy.copy(isLive: false, progress: { _ in })
      let after = try copy.room(sharesHost: false)
      #expect(after.room.bytes.distance(to: before.room.bytes).magnitude < 1 << 20, "\(after)")
      // A second name is to this file system what a second file is.
      #expect(after.room.inodes == before.room.inodes.map { $0 - 1 })
      try trees.run("head -c 20000000 /dev/urandom >more")
      #expect(try copy.room(sharesHost: false).shortage?.contains("is too small") == true)
      try trees.run("rm more; seq 200 | xargs touch")
      #expect(try copy.room(sharesHost: false).shortage?.contains("takes too few files: 202 files") == true)
    }
  }
}
