/// A QR code as text: two rows of modules in each line, by half blocks.
public struct QRDrawing: Equatable, Sendable {
  /// Rows of modules, true for dark ones. Square.
  public let modules: [[Bool]]
  /// Light modules around it, without which readers do not find it (ISO/IEC 18004, 5.3.8).
  static let quietZone = 4

  public init(modules: [[Bool]]) { self.modules = modules }

  /// Columns that it takes.
  public var width: Int { modules.count + 2 * Self.quietZone }

  /// Blocks are dark: for dark text on a light ground.
  public var lines: [String] {
    stride(from: 0, to: width, by: 2).map { row in
      String((0..<width).map { column in Self.block(isDark(row, column), isDark(row + 1, column)) })
    }
  }

  private func isDark(_ row: Int, _ column: Int) -> Bool {
    let (row, column) = (row - Self.quietZone, column - Self.quietZone)
    return modules.indices.contains(row) && modules[row].indices.contains(column) && modules[row][column]
  }

  private static func block(_ upper: Bool, _ lower: Bool) -> Character {
    switch (upper, lower) {
    case (true, true): "█"
    case (true, false): "▀"
    case (false, true): "▄"
    case (false, false): " "
    }
  }
}
