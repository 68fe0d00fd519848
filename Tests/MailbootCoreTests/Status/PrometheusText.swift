/// Prometheus' text format, read as strictly as its own parser does: anything it would refuse is an error here.
struct PrometheusText {
  struct Sample: Equatable {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  struct Malformed: Error {
    var line: String
    var why: String
  }

  private(set) var samples: [Sample] = []
  /// Metrics in the order of their TYPE lines.
  private(set) var names: [String] = []

  func value(_ name: String) -> Double? { samples.first { $0.name == name && $0.labels.isEmpty }?.value }

  func value(_ name: String, _ label: String, _ value: String) -> Double? {
    samples.first { $0.name == name && $0.labels == [label: value] }?.value
  }

  init(parsing text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(line: "", why: "no line feed at the end") }
    var helped: Set<String> = []
    for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) {
      func fail(_ why: String) -> Malformed { Malformed(line: line, why: why) }
      if line.hasPrefix("#") {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 4 else { throw fail("comment of \(words.count) words") }
        if words[1] == "HELP" {
          guard helped.insert(words[2]).inserted else { throw fail("second HELP") }
        } else {
          guard words[1] == "TYPE", ["gauge", "counter"].contains(words[3]) else { throw fail("no such type") }
          guard !names.contains(words[2]), helped.contains(words[2]) else { throw fail("second TYPE, or before HELP") }
          guard words[3] != "counter" || words[2].hasSuffix("_total") else { throw fail("a counter's name") }
          names.append(words[2])
        }
        continue
      }
      let sample = try Self.sample(line)
      guard names.last == sample.name else { throw fail("not below its TYPE") }
      guard !samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
        throw fail("there twice")
      }
      samples.append(sample)
    }
    guard names.allSatisfy({ name in samples.contains { $0.name == name } }) else {
      throw Malformed(line: "", why: "a metric without a sample")
    }
  }

  private static func sample(_ line: String) throws -> Sample {
    var rest = line.unicodeScalars[...]
    func take(while test: (Unicode.Scalar) -> Bool) -> String {
      let taken = rest.prefix(while: test)
      rest = rest.dropFirst(taken.count)
      return String(taken)
    }
    func expect(_ scalar: Unicode.Scalar) throws {
      guard rest.first == scalar else { throw Malformed(line: line, why: "expected \(scalar)") }
      rest = rest.dropFirst()
    }
    let name = take { $0.isASCII && ($0.properties.isAlphabetic || $0 == "_") }
    var labels: [String: String] = [:]
    if rest.first == "{" {
      try expect("{")
      let label = take { $0.isASCII && ($0.properties.isAlphabetic || $0 == "_") }
      try expect("=")
      try expect("\"")
      var value = String.UnicodeScalarView()
      while let scalar = rest.first, scalar != "\"" {
        rest = rest.dropFirst()
        guard scalar == "\\" else {
          value.append(scalar)
          continue
        }
        switch rest.popFirst() {
        case "n": value.append("\n")
        case "\\": value.append("\\")
        case "\"": value.append("\"")
        default: throw Malformed(line: line, why: "no such escape")
        }
      }
      try expect("\"")
      try expect("}")
      labels[label] = String(value)
    }
    try expect(" ")
    guard let value = Double(String(rest)), !name.isEmpty else { throw Malformed(line: line, why: "no number") }
    return Sample(name: name, labels: labels, value: value)
  }
}
