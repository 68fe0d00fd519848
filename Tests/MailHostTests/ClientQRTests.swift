import Foundation
import QRCodes
import Testing

/// QR codes as text.
struct ClientQRTests {
  /// What a reader sees of a drawing: rows of modules, with the light ones around it.
  private func modules(_ lines: [String]) -> [[Bool]] {
    lines.flatMap { line in
      [line.map { "█▀".contains($0) }, line.map { "█▄".contains($0) }]
    }
  }

  @Test func whatIsDrawnAreTheModules() {
    for width in [1, 2, 3, 21] {
      let drawn = QRDrawing(modules: (0..<width).map { row in (0..<width).map { (row * 7 + $0 * 3) % 5 < 2 } })
      let seen = modules(drawn.lines)
      #expect(drawn.width == width + 8 && drawn.lines.allSatisfy { $0.count == drawn.width })
      #expect(drawn.lines.count == (drawn.width + 1) / 2)
      for row in 0..<width { #expect(Array(seen[row + 4][4..<4 + width]) == drawn.modules[row]) }
      #expect(
        seen.prefix(4).allSatisfy { !$0.contains(true) } && seen.dropFirst(width + 4).allSatisfy { !$0.contains(true) })
    }
  }

  /// The three large squares by which readers find it, in the corners but the lower right one.
  @Test func aLinkBecomesACode() throws {
    let link = "https://autoconfig.mail.example.org/profiles/00000000-0000-8000-8000-000000000000.mobileconfig"
    let modules = try QRCode.drawing(link).modules
    let last = modules.count - 7
    let finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for (row, column) in [(0, 0), (0, last), (last, 0)] {
      let seen = modules[row..<row + 7].map { $0[column..<column + 7].map { $0 ? "1" : "0" }.joined() }
      #expect(seen == finder, "\(row) \(column)")
    }
    // Version 6 holds 106 bytes at level M.
    #expect(modules.count == 41 && modules.allSatisfy { $0.count == 41 })
    #expect(try QRCode.drawing(link + "x").modules != modules)
  }

  @Test func whatNoCodeCanHoldIsToldSo() {
    #expect(throws: QRFailure.self) { try QRCode.drawing(String(repeating: "a", count: 3000)) }
  }
}
