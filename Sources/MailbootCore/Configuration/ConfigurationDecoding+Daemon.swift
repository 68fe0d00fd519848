import Text

extension Configuration.Notify {
  mutating func read(_ table: inout TableReader) {
    directory = table.path("directory", example: "/etc/mailboot/notify.d") ?? directory
    if let setting = table.duration("remind-every", from: 60, orOff: true) {
      remindEvery = setting == 0 ? nil : setting
    }
    timeout = table.duration("timeout", from: 1, to: 3600) ?? timeout
  }
}

extension Configuration.Monitoring {
  mutating func read(_ table: inout TableReader) {
    let example = "/var/lib/prometheus/node-exporter/mailboot.prom"
    prometheusFile = table.string("prometheus-file", expected: "an absolute path such as \"\(example)\"") { text in
      TableReader.isMountPoint(text) && !text.hasSuffix("/")
    }
    probeEvery = table.duration("probe-every", from: 10) ?? probeEvery
  }
}

extension Configuration.Wait {
  mutating func read(_ table: inout TableReader) {
    token = table.boolean("token") ?? token
    ask = table.boolean("ask") ?? ask
    complete = table.boolean("complete") ?? complete
    let hasDevice = table.node("key-device") != nil
    keyDevice = table.device("key-device", example: "/dev/sdb1")
    // A stick's own paths have no root of ours.
    let inside = "a path inside the key device's file system, such as \"vault.key\""
    keyFile =
      hasDevice
      ? table.string("key-file", expected: inside) { text in
        !text.hasSuffix("/") && text.contains { $0 != "/" } && !text.split(separator: "/").contains("..")
      }.map { text in text.split(separator: "/").joined(separator: "/") }
      : table.path("key-file", example: "/etc/mailboot/vault.key")
    if hasDevice { keyFile = table.require("key-file", keyFile, expected: inside) }
  }
}

extension TableReader {
  /// Ten years of seconds.
  private static let longest = 315_360_000

  /// A duration in seconds, written as `"90s"`, `"15min"`, `"2h"`, `"1d"` or an integer of seconds.
  ///
  /// - Parameter orOff: whether 0 or `"off"` may stand for "never"; the answer then is 0.
  package mutating func duration(_ key: String, from least: Int, to most: Int? = nil, orOff: Bool = false) -> Int? {
    guard let node = node(key) else { return nil }
    var limits = "at least \(Self.shown(least))"
    if let most { limits += " and at most \(Self.shown(most))" }
    let expected = "a duration such as \"15min\", \"2h\" or \"90s\", \(limits)" + (orOff ? ", or \"off\"" : "")
    let seconds: Int?
    let written: String
    switch node.value {
    case .integer(let number): (seconds, written) = (number, String(number))
    case .string(let text): (seconds, written) = (orOff && text == "off" ? 0 : Self.seconds(text), "\"\(text)\"")
    default:
      note(node, key, "is \(node.typeName)", expected: expected)
      return nil
    }
    guard let seconds, seconds >= 0 else {
      note(node, key, "\(written) is not valid", expected: expected)
      return nil
    }
    guard (orOff && seconds == 0) || (least...(most ?? Self.longest)).contains(seconds) else {
      note(node, key, "\(written) is out of range", expected: expected)
      return nil
    }
    return seconds
  }

  /// `90s`, `15min`, `2h`, `1d`; a bare number is seconds.
  private static func seconds(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let factors = ["": 1, "s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400]
    guard let number = Int(digits), number <= longest,
      let factor = factors[text.dropFirst(digits.count).filter { $0 != " " }]
    else { return nil }
    return number * factor
  }

  private static func shown(_ seconds: Int) -> String {
    if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    return seconds % 60 == 0 ? "\(seconds / 60)min" : "\(seconds)s"
  }
}
