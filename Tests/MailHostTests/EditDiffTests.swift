import Foundation
import TestSupport
import Testing

@testable import MailHost

@Test func theSameTextHasNoDiff() {
  #expect(UnifiedDiff.lines("a\nb\n", "a\nb\n").isEmpty)
  #expect(UnifiedDiff.lines("", "").isEmpty)
}

@Test func aFileThatBeginsOrEndsIsShownWhole() {
  #expect(UnifiedDiff.lines("", "a\nb\n") == ["@@ -0,0 +1,2 @@", "+a", "+b"])
  #expect(UnifiedDiff.lines("a\n", "") == ["@@ -1 +0,0 @@", "-a"])
}

@Test func aMissingNewlineAtTheEndIsShown() {
  #expect(UnifiedDiff.lines("a\n", "a") == ["@@ -1 +1 @@", "-a", "+a\n\\ No newline at end of file"])
}

/// `patch` must make the new text of the old one, and `diff -u` must not find a shorter way.
@Test(arguments: 0..<12)
func patchUnderstandsEveryDiff(seed: Int) throws {
  var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
  func random(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
  let old = (0..<random(60)).map { _ in "line \(random(9))" }
  var new = old
  for _ in 0..<random(8) {
    let place = random(new.count + 1)
    if random(2) == 0, place < new.count { new.remove(at: place) } else { new.insert("new \(random(3))", at: place) }
  }
  func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
  let diff = UnifiedDiff.lines(text(old), text(new), context: random(4))
  let directory = try TemporaryDirectory()
  let file = try directory.write("file", text(old))
  let changes = diff.filter { $0.hasPrefix("+") || $0.hasPrefix("-") }.count
  #expect(changes >= abs(new.count - old.count) && (changes == 0) == (old == new))
  if diff.isEmpty { return }
  let patch = Process()
  patch.executableURL = URL(fileURLWithPath: "/usr/bin/patch")
  patch.arguments = ["--silent", "--fuzz=0", file]
  let input = Pipe()
  patch.standardInput = input
  try patch.run()
  try? input.fileHandleForWriting.write(
    contentsOf: Data((["--- file", "+++ file"] + diff).map { $0 + "\n" }.joined().utf8))
  try input.fileHandleForWriting.close()
  patch.waitUntilExit()
  #expect(patch.terminationStatus == 0)
  let patched = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
  // What is empty in the end, `patch` removes.
  #expect((patched ?? "") == text(new))
}
