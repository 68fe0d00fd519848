import Text

/// An unlock as a Gantt chart of its steps: an SVG that reads well on light and dark ground.
public struct StepChart: Sendable {
  private let run: History.Run
  private let host: String
  private let steps: [StepRecord]
  /// Seconds that the axis is long.
  private let length: Double
  /// Seconds between two lines of the axis.
  private let interval: Double

  private static let width = 880.0
  private static let left = 190.0
  private static let right = 80.0
  private static let top = 104.0
  private static let row = 26.0
  private static let bar = 16.0

  /// - Parameter host: the machine's name, for the title.
  public init(_ run: History.Run, host: String) {
    self.run = run
    self.host = host
    // In the order of their begin, as one reads down a Gantt chart.
    steps = run.steps.enumerated()
      .sorted { ($0.element.began ?? 0, $0.offset) < ($1.element.began ?? 0, $1.offset) }.map(\.element)
    let end = steps.map { ($0.began ?? 0) + $0.seconds }.max() ?? 0
    length = max(end, run.seconds ?? 0, 0.1)
    interval = Self.interval(for: length)
  }

  /// The finest of 1, 2, 5 times a power of ten that makes at most ten parts.
  static func interval(for length: Double) -> Double {
    var unit = 0.01
    while true {
      for factor in [1.0, 2, 5] where length / (unit * factor) <= 10 { return unit * factor }
      unit *= 10
    }
  }

  private var bottom: Double { Self.top + Double(steps.count) * Self.row }

  private func x(_ seconds: Double) -> Double {
    Self.left + seconds / length * (Self.width - Self.left - Self.right)
  }

  public func svg() -> String {
    let height = bottom + 64
    let size = "\(Self.number(Self.width)) \(Self.number(height))"
    let lines =
      [
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(Self.number(Self.width))" \
        height="\(Self.number(height))" role="img" aria-labelledby="title">
        """,
        "<title id=\"title\">\(Self.escaped(title + ": " + subtitle))</title>", Self.style,
        "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>",
        Self.text(title, x: 24, y: 36, "title"), Self.text(subtitle, x: 24, y: 58, "dim"),
      ] + axis() + steps.enumerated().flatMap { rows($0.offset, $0.element) } + legend() + ["</svg>", ""]
    return lines.joined(separator: "\n")
  }

  private var title: String {
    let name = host.isEmpty ? "The vault" : host
    let time = run.seconds.map { "\(decimal($0, places: 1)) s" }
    return run.outcome == .failed
      ? "\(name): unlock failed" + (time.map { " after \($0)" } ?? "")
      : "\(name): unlocked" + (time.map { " in \($0)" } ?? "")
  }

  private var subtitle: String {
    var text = "\(timestamp(run.at)) by \(run.by)"
    if let via = run.via { text += " (\(via.rawValue))" }
    if let step = run.failedStep { text += ", failed at \(step)" }
    return text
  }

  private func axis() -> [String] {
    var lines: [String] = []
    let places = interval >= 1 ? 0 : interval >= 0.1 ? 1 : 2
    for count in 0...Int(length / interval + 1e-9) {
      let seconds = Double(count) * interval
      let x = Self.number(x(seconds))
      lines.append(
        "<line class=\"grid\" x1=\"\(x)\" y1=\"\(Self.number(Self.top - 6))\" x2=\"\(x)\" y2=\"\(Self.number(bottom))\"/>"
      )
      lines.append(Self.text("\(decimal(seconds, places: places)) s", x: self.x(seconds), y: Self.top - 12, "tick"))
    }
    return lines
  }

  private func rows(_ index: Int, _ step: StepRecord) -> [String] {
    let begin = x(step.began ?? 0)
    // Also what took no time at all is to be seen.
    let width = max(2, x((step.began ?? 0) + step.seconds) - begin)
    let y = Self.top + Double(index) * Self.row
    let time = decimal(step.seconds, places: step.seconds < 0.95 ? 2 : 1) + " s"
    let middle = y + Self.bar / 2 + 9
    return [
      Self.text(Self.shortened(step.name), x: Self.left - 12, y: middle, "name"),
      """
      <rect class="\(Self.kind(of: step).rawValue)" x="\(Self.number(begin))" y="\(Self.number(y + 5))" \
      width="\(Self.number(width))" height="\(Self.number(Self.bar))" rx="2">\
      <title>\(Self.escaped("\(step.name): \(time), \(step.outcome.rawValue)"))</title></rect>
      """,
      Self.text(time, x: begin + width + 6, y: middle, "time"),
    ]
  }

  /// As much of a name as its column has room for; the bar has all of it.
  private static func shortened(_ name: String) -> String { name.count > 25 ? name.prefix(24) + "…" : name }

  private enum Kind: String, CaseIterable {
    case storage, check, preparation, service, failed

    var label: String {
      switch self {
      case .storage: "open and mount"
      case .check: "check"
      case .preparation: "service, until it is held"
      case .service: "service, until it answers"
      case .failed: "failed"
      }
    }
  }

  private static func kind(of step: StepRecord) -> Kind {
    if step.outcome == .failed { return .failed }
    if step.name.hasPrefix("check ") { return .check }
    if step.name.hasPrefix("prepare ") { return .preparation }
    return step.name == "open" || step.name == "mount" || step.name.hasPrefix("bind ") ? .storage : .service
  }

  private func legend() -> [String] {
    var lines: [String] = []
    var x = Self.left
    for kind in Kind.allCases where steps.contains(where: { Self.kind(of: $0) == kind }) {
      let y = bottom + 28
      lines.append(
        "<rect class=\"\(kind.rawValue)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"12\" height=\"12\" rx=\"2\"/>"
      )
      lines.append(Self.text(kind.label, x: x + 18, y: y + 10.5, "dim"))
      x += 44 + 7 * Double(kind.label.count)
    }
    return lines
  }

  /// Colours of equal lightness each, on light and on dark ground.
  private static let style = """
    <style>
    text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
    .ground { fill: #ffffff }
    .title { font-size: 18px; font-weight: 600 }
    .dim, .time, .tick { fill: #59636e }
    .time, .tick { font-size: 12px }
    .time { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
    .tick { text-anchor: middle }
    .name { text-anchor: end }
    .grid { stroke: #d1d9e0; stroke-width: 1 }
    .storage { fill: #0969da }
    .check { fill: #6e9c2f }
    .preparation { fill: #b58af2 }
    .service { fill: #8250df }
    .failed { fill: #cf222e }
    @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ground { fill: #0d1117 }
    .dim, .time, .tick { fill: #9198a1 }
    .time { stroke: #0d1117 }
    .grid { stroke: #3d444d }
    .storage { fill: #4493f8 }
    .check { fill: #8fbf47 }
    .preparation { fill: #7d55c7 }
    .service { fill: #ab7df8 }
    .failed { fill: #f85149 }
    }
    </style>
    """

  private static func text(_ text: String, x: Double, y: Double, _ kind: String) -> String {
    "<text class=\"\(kind)\" x=\"\(number(x))\" y=\"\(number(y))\">\(escaped(text))</text>"
  }

  private static func number(_ number: Double) -> String { decimal(number, places: 1) }

  /// Names and users come from elsewhere. Control characters are not XML at all.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in singleLine(text).unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
