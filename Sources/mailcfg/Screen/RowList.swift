import ArgumentParser
import Console
import Glibc
import JSON
import Text

enum ListFormat: String, ExpressibleByArgument, CaseIterable {
  case json, tsv, text
}

/// A list that is written row by row, but for the table on a terminal, whose widths are known at the end.
final class RowList {
  private let output: Output
  /// Nil: a table on a terminal.
  private let format: ListFormat?
  private let names: [String]
  private var rows: [[String]] = []
  private(set) var count = 0

  /// - Parameters:
  ///   - names: of the columns, as JSON has them.
  ///   - format: nil: a table on a terminal, text elsewhere.
  init(_ names: [String], _ format: ListFormat?, _ output: Output) {
    self.names = names
    self.output = output
    self.format = format ?? (isatty(1) == 1 ? nil : .text)
  }

  /// - Parameters:
  ///   - cells: one for each name.
  ///   - shown: the row of the table on a terminal.
  ///   - text: writes the row's line of text, without its end.
  func add(_ cells: @autoclosure () -> [JSONText], shown: @autoclosure () -> [String], text: (Output) -> Void) {
    count += 1
    switch format {
    case nil: rows.append(shown().map(visibleInLine))
    case .text:
      text(output)
      output.endLine()
    case .tsv: addFields(cells())
    case .json:
      let members = Array(zip(names, cells()))
      output.add((count == 1 ? "[\n  " : ",\n  ") + JSONText.object(members).line())
    }
  }

  /// - Parameter headings: of the table on a terminal.
  func end(_ headings: [String]) {
    switch format {
    case .text, .tsv: break
    case .json: output.line(count == 0 ? "[]" : "\n]")
    case nil: if !rows.isEmpty { addTable(headings) }
    }
  }

  private func addFields(_ cells: [JSONText]) {
    for (index, cell) in cells.enumerated() {
      if index > 0 { output.add(0x09) }
      switch cell {
      case .string(let text): output.addField(text)
      case .bool(let flag): output.add(flag ? "1" : "0")
      case .null: break
      default: output.add(cell.line())
      }
    }
    output.endLine()
  }

  private func addTable(_ headings: [String]) {
    let terminal = Terminal(descriptor: 1)
    // One very long address is not to push every other row out of sight.
    let widest = 44
    let widths = headings.indices.map { column in
      min(widest, ([headings] + rows).map { $0[column].count }.max() ?? 0)
    }
    func line(_ cells: [String]) -> String {
      let last = cells.lastIndex { !$0.isEmpty } ?? 0
      return cells[...last].enumerated().map { $0 == last ? $1 : $1.padded(widths[$0]) }.joined(separator: "  ")
    }
    output.line(terminal.coloured(line(headings), .bold))
    for row in rows {
      output.line(row.contains("disabled") ? terminal.coloured(line(row), .dim) : line(row))
    }
  }
}
