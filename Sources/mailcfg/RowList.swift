import Console
import Glibc
import MailbootCore
import Text

/// The value of a row in one column.
enum Cell {
  case text(String)
  case number(Int64)
  case flag(Bool)
  case none
}

/// How a list is written.
enum ListFormat: String, CaseIterable {
  case text, tsv, json
}

/// A list that is written row by row, but for the table on a terminal, whose widths are known at the end.
final class RowList {
  private enum Form { case table, text, tsv, json }

  private let output: Output
  private let form: Form
  private let names: [String]
  private var rows: [[String]] = []
  private(set) var count = 0

  /// - Parameters:
  ///   - names: of the columns, as JSON has them.
  ///   - isTable: whether it is a table on a terminal; else the lines of text.
  init(_ names: [String], _ arguments: Arguments, _ output: Output, isTable: Bool = true) throws(Failure) {
    self.names = names
    self.output = output
    if let given = arguments[.format] {
      guard let format = ListFormat(rawValue: given) else {
        throw .usage("there is no format \"\(given)\"", hint: "one of json, tsv, text")
      }
      form = format == .json ? .json : format == .tsv ? .tsv : .text
    } else {
      form = isTable && isatty(1) == 1 ? .table : .text
    }
  }

  /// - Parameters:
  ///   - cells: one for each name.
  ///   - shown: the row of the table on a terminal.
  ///   - text: writes the row's line of text, without its end.
  func add(_ cells: @autoclosure () -> [Cell], shown: @autoclosure () -> [String], text: (Output) -> Void) {
    count += 1
    switch form {
    case .table: rows.append(shown().map(visible))
    case .text:
      text(output)
      output.endLine()
    case .tsv: addFields(cells())
    case .json: addObject(cells())
    }
  }

  /// - Parameter headings: of the table on a terminal.
  func end(_ headings: [String]) {
    switch form {
    case .text, .tsv: break
    case .json: output.line(count == 0 ? "[]" : "\n]")
    case .table: if !rows.isEmpty { addTable(headings) }
    }
  }

  private func addFields(_ cells: [Cell]) {
    for (index, cell) in cells.enumerated() {
      if index > 0 { output.add(0x09) }
      switch cell {
      case .text(let text): output.addField(text)
      case .number(let number): output.add(String(number))
      case .flag(let flag): output.add(flag ? "1" : "0")
      case .none: break
      }
    }
    output.endLine()
  }

  private func addObject(_ cells: [Cell]) {
    output.add(count == 1 ? "[\n  {" : ",\n  {")
    for (index, cell) in cells.enumerated() {
      if index > 0 { output.add(UInt8(ascii: ",")) }
      output.addQuoted(names[index])
      output.add(UInt8(ascii: ":"))
      switch cell {
      case .text(let text): output.addQuoted(text)
      case .number(let number): output.add(String(number))
      case .flag(let flag): output.add(flag ? "true" : "false")
      case .none: output.add("null")
      }
    }
    output.add("}")
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
