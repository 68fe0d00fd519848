import MailbootCore
import TOMLKit

/// One TOML file as a tree of values with their places. The parser keeps no places, so `KeyPlaces` finds them in the text.
enum TOMLSource {
  static func tree(of text: String, file: String) throws(ConfigurationError) -> ConfigurationNode {
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      throw ConfigurationError(issues: [
        ConfigurationIssue(
          origin: Origin(file: file, line: begin.line, column: begin.column), key: "",
          message: "is not valid TOML: \(firstLine(error.description))")
      ])
    } catch {
      throw ConfigurationError(issues: [
        ConfigurationIssue(
          origin: Origin(file: file, line: 0, column: 0), key: "", message: "cannot be parsed: \(error)")
      ])
    }
    let places = KeyPlaces(scanning: text)
    return node(table, path: [], places: places, file: file)
  }

  private static func firstLine(_ text: String) -> String {
    text.split(separator: "\n").first.map(String.init) ?? text
  }

  private static func node(
    _ value: any TOMLValueConvertible, path: [String], places: KeyPlaces, file: String
  ) -> ConfigurationNode {
    let place = places.place(of: path)
    let origin = Origin(file: file, line: place.line, column: place.column)
    func child(_ value: any TOMLValueConvertible, _ name: String) -> ConfigurationNode {
      node(value, path: path + [name], places: places, file: file)
    }
    switch value.type {
    case .string: return ConfigurationNode(.string(value.string ?? ""), at: origin)
    case .int: return ConfigurationNode(.integer(value.int ?? 0), at: origin)
    case .double: return ConfigurationNode(.double(value.double ?? 0), at: origin)
    case .bool: return ConfigurationNode(.boolean(value.bool ?? false), at: origin)
    case .date, .time, .dateTime: return ConfigurationNode(.temporal, at: origin)
    case .array:
      let items = (value.array.map(Array.init) ?? []).enumerated().map { child($1, String($0)) }
      return ConfigurationNode(.array(items), at: origin)
    case .table:
      var members: [String: ConfigurationNode] = [:]
      if let table = value.table {
        for key in table.keys { members[key] = table[key].map { child($0, key) } }
      }
      return ConfigurationNode(.table(members), at: origin)
    }
  }
}

/// Line and column of each key in a TOML text that is known to be valid. Elements of an array of tables are numbered from 0.
/// What stands inside an inline table or array has the place of the key before it.
struct KeyPlaces {
  struct Place: Equatable {
    var line: Int
    var column: Int
  }

  private var places: [[String]: Place] = [[]: Place(line: 1, column: 1)]

  /// The place of the path, else of the nearest one above it.
  func place(of path: [String]) -> Place {
    var path = path
    while true {
      if let place = places[path] { return place }
      if path.isEmpty { return Place(line: 1, column: 1) }
      path.removeLast()
    }
  }

  init(scanning text: String) {
    var table: [String] = []
    var elements: [[String]: Int] = [:]
    var open = OpenValue()
    let text = text.hasPrefix("\u{feff}") ? text.dropFirst() : text[...]
    // To Swift "\r\n" is one character, and none of the two.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let number = index + 1
      if open.continues {
        open.scan(line)
        continue
      }
      let indent = line.prefix { $0 == " " || $0 == "\t" }.count
      let content = line.dropFirst(indent)
      if content.isEmpty || content.hasPrefix("#") { continue }
      let place = Place(line: number, column: indent + 1)
      if content.hasPrefix("[[") {
        let path = Self.dotted(content.dropFirst(2)).names
        let element = elements[path, default: 0]
        elements[path] = element + 1
        table = path + [String(element)]
        if element == 0 { places[path] = place }
        places[table] = place
      } else if content.hasPrefix("[") {
        table = Self.dotted(content.dropFirst()).names
        // A table inside the last element of an array of tables.
        for length in stride(from: table.count, to: 0, by: -1) {
          let prefix = Array(table[..<length])
          if let count = elements[prefix] { table.insert(String(count - 1), at: length) }
        }
        places[table] = place
      } else {
        let key = Self.dotted(content)
        for length in 1...max(1, key.names.count) {
          let path = table + key.names.prefix(length)
          if places[path] == nil { places[path] = place }
        }
        open.scan(key.rest)
      }
    }
  }

  /// A dotted key, bare or quoted, up to `=` or `]`.
  private static func dotted(_ text: Substring) -> (names: [String], rest: Substring) {
    var names: [String] = []
    var name = ""
    var quote: Character?
    var rest = text
    while let character = rest.popFirst() {
      if let open = quote {
        if character == open { quote = nil } else { name.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "." {
        names.append(name)
        name = ""
      } else if character == "=" || character == "]" {
        break
      } else if character != " " && character != "\t" {
        name.append(character)
      }
    }
    return (names + [name], rest)
  }

  /// Whether a value goes on in the next line: an open bracket or a multi-line string.
  private struct OpenValue {
    private var depth = 0
    private var multiline: String?
    var continues: Bool { depth > 0 || multiline != nil }

    mutating func scan(_ line: Substring) {
      var rest = line
      var quote: Character?
      while !rest.isEmpty {
        if let end = multiline {
          if rest.hasPrefix(end) {
            multiline = nil
            rest = rest.dropFirst(3)
          } else {
            rest = rest.dropFirst(end == "\"\"\"" && rest.hasPrefix("\\") ? 2 : 1)
          }
          continue
        }
        if let open = quote {
          if open == "\"" && rest.hasPrefix("\\") {
            rest = rest.dropFirst(2)
            continue
          }
          if rest.first == open { quote = nil }
          rest = rest.dropFirst()
          continue
        }
        if rest.hasPrefix("\"\"\"") || rest.hasPrefix("'''") {
          multiline = String(rest.prefix(3))
          rest = rest.dropFirst(3)
          continue
        }
        switch rest.removeFirst() {
        case "\"": quote = "\""
        case "'": quote = "'"
        case "[", "{": depth += 1
        case "]", "}": depth -= 1
        case "#": return
        default: break
        }
      }
    }
  }
}
