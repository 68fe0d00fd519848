import Foundation
import FoundationXML
import Testing

@testable import MailbootCore

@Suite struct StepChartTests {
  private static func run(_ steps: [StepRecord], by user: String = "alice", seconds: Double = 16) -> History.Run {
    var run = History.Run(
      verb: .unlock, outcome: .done, at: 0, by: user, via: .terminal, seconds: seconds, steps: steps)
    if steps.contains(where: { $0.outcome == .failed }) { run.outcome = .failed }
    return run
  }

  private static let steps = [
    StepRecord(name: "open", outcome: .changed, seconds: 4, began: 0),
    StepRecord(name: "rspamd", outcome: .changed, seconds: 8, began: 8),
    StepRecord(name: "check postfix", outcome: .unchanged, seconds: 4, began: 4),
  ]

  /// Elements by name, each with its attributes and text.
  private final class Drawing: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String], text: String)] = []
    private var open: [Int] = []

    init(_ svg: String) throws {
      super.init()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = self
      #expect(parser.parse(), "\(String(describing: parser.parserError)): \(svg)")
    }

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      open.append(elements.count)
      elements.append((name, attributes, ""))
    }

    func parser(_: XMLParser, foundCharacters text: String) { if let last = open.last { elements[last].text += text } }

    func parser(_: XMLParser, didEndElement: String, namespaceURI: String?, qualifiedName: String?) {
      open.removeLast()
    }

    func texts(_ kind: String) -> [String] {
      elements.filter { $0.name == "text" && $0.attributes["class"] == kind }.map(\.text)
    }

    /// Begin and width of the bars of a kind.
    func bars(_ kind: String) -> [(x: Double, width: Double)] {
      elements.filter { $0.name == "rect" && $0.attributes["class"] == kind && $0.attributes["height"] == "16.0" }
        .map { (Double($0.attributes["x"] ?? "") ?? .nan, Double($0.attributes["width"] ?? "") ?? .nan) }
    }
  }

  @Test func barsLieWhereTheirStepsWereInTime() throws {
    let drawing = try Drawing(StepChart(Self.run(Self.steps), host: "mail").svg())
    #expect(drawing.texts("name") == ["open", "check postfix", "rspamd"])
    #expect(drawing.texts("time") == ["4.0 s", "4.0 s", "8.0 s"])
    #expect(drawing.texts("title") == ["mail: unlocked in 16.0 s"])
    let open = try #require(drawing.bars("storage").first)
    let check = try #require(drawing.bars("check").first)
    let service = try #require(drawing.bars("service").first)
    #expect(abs(check.x - (open.x + open.width)) < 0.2)
    #expect(abs(service.x - (open.x + 2 * open.width)) < 0.2)
    #expect(abs(service.width - 2 * open.width) < 0.2)
    let width = try #require(drawing.elements.first?.attributes["width"].flatMap { Double($0) })
    #expect(service.x + service.width < width)
  }

  @Test func aFailedStepStandsOut() throws {
    let steps = Self.steps + [StepRecord(name: "check dkim", outcome: .failed, seconds: 0, began: 9)]
    let drawing = try Drawing(StepChart(Self.run(steps), host: "mail").svg())
    #expect(drawing.bars("failed").count == 1)
    // Also what took no time is to be seen.
    #expect(drawing.bars("failed").first.map { $0.width >= 2 } == true)
    #expect(drawing.texts("title") == ["mail: unlock failed after 16.0 s"])
  }

  @Test func namesFromElsewhereAreText() throws {
    let name = "bind /srv/<script>alert(\"1\")</script>&\u{1b}[31m"
    let steps = [StepRecord(name: name, outcome: .changed, seconds: 1, began: 0)]
    let drawing = try Drawing(StepChart(Self.run(steps, by: "a<b&c\u{0}"), host: "m<a>il").svg())
    #expect(drawing.texts("name") == [name.prefix(24) + "…"])
    #expect(drawing.texts("title") == ["m<a>il: unlocked in 16.0 s"])
    #expect(drawing.elements.filter { $0.name == "script" }.isEmpty)
    #expect(
      drawing.elements.contains {
        $0.name == "title" && $0.text.hasPrefix("bind /srv/<script>alert(\"1\")</script>&?[31m")
      })
  }

  @Test(arguments: [
    (0.1, 0.01), (0.5, 0.05), (1, 0.1), (2, 0.2), (9, 1), (17, 2), (45, 5), (100, 10), (190, 20), (4000, 500),
  ])
  func theAxisHasAtMostTenParts(_ length: Double, _ interval: Double) {
    #expect(abs(StepChart.interval(for: length) - interval) < 1e-9)
  }

  @Test func aRunOfNoTimeIsDrawnToo() throws {
    let drawing = try Drawing(
      StepChart(Self.run([StepRecord(name: "open", outcome: .unchanged, seconds: 0)], seconds: 0), host: "").svg())
    #expect(drawing.bars("storage").count == 1)
    #expect(drawing.texts("title") == ["The vault: unlocked in 0.0 s"])
  }
}
