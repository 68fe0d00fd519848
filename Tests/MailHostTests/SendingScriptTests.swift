import Foundation
import MailHost
import TestSupport
import Testing

/// What is counted, by a redis of its own and the script that rspamd gives it.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/redis-server"), "there is no redis-server"))
struct SendingScriptTests {
  private static let start = 1_796_000_000
  private static let user = "bob@example.org"

  /// The most of messages, recipients, recipients at once, new recipients; 0: any number.
  private struct Most {
    var messages = 0
    var recipients = 1000
    var burst = 100
    var new = 0
  }

  /// Ends with the test.
  private final class Redis {
    private let directory: TemporaryDirectory
    private let server = Process()
    private let take: String
    private let giveBack: String
    private var socket: String { directory.file("s") }

    init() throws {
      directory = try TemporaryDirectory()
      let lua = try String(
        contentsOf: repositoryFile("templates/rspamd/local.d/rspamd.lua.mustache"), encoding: .utf8)
      func script(_ name: String) throws -> String {
        let begin = try #require(lua.range(of: "local \(name) = [["))
        let end = try #require(lua.range(of: "]]\n", range: begin.upperBound..<lua.endIndex))
        return String(lua[begin.upperBound..<end.lowerBound])
      }
      (take, giveBack) = (try script("take"), try script("give_back"))
      server.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
      server.arguments = [
        "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", directory.path,
      ]
      (server.standardOutput, server.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try server.run()
      for _ in 1...100 {
        if (try? command(["PING"])) == "PONG\n" { return }
        usleep(50_000)
      }
      throw CocoaError(.fileReadUnknown)
    }

    deinit {
      // Not SIGTERM: it has inherited that as blocked.
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }

    @discardableResult
    func command(_ arguments: [String]) throws -> String {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
      process.arguments = ["-e", "-s", socket] + arguments
      let pipe = Pipe()
      (process.standardOutput, process.standardError) = (pipe, pipe)
      try process.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return text
    }

    private func eval(_ script: String, _ arguments: [String]) throws -> [String] {
      let text = try command(["EVAL", script, "3"] + SendingScripts.keys(SendingScriptTests.user) + arguments)
      return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// The limit that is reached, or "" and the recipients that are new.
    func take(_ now: Int, _ most: Most, _ recipients: [String]) throws -> [String] {
      let limits = [most.messages, most.recipients, most.burst, most.new].map(String.init)
      return try eval(take, [SendingScriptTests.user, String(now)] + limits + recipients)
    }

    func giveBack(_ now: Int, _ count: Int, _ new: [String]) throws {
      _ = try eval(giveBack, [String(now), String(count)] + new)
    }

    func field(_ name: String) throws -> String {
      try command(["HGET", SendingScripts.keys(SendingScriptTests.user)[0], name]).filter { $0 != "\n" }
    }
  }

  private static func people(_ range: ClosedRange<Int>) -> [String] { range.map { "p\($0)@elsewhere.example" } }

  @Test func newRecipientsAndWhatIsGivenBack() throws {
    let redis = try Redis()
    var most = Most()
    most.new = 3
    #expect(try redis.take(Self.start, most, ["a@x", "b@x"]) == ["", "a@x", "b@x"])
    #expect(try redis.take(Self.start, most, ["a@x", "c@x", "d@x"]) == ["n"])
    #expect(try redis.take(Self.start, most, ["a@x", "c@x"]) == ["", "c@x"])
    #expect(try redis.take(Self.start + 60, most, ["d@x"]) == ["n"])
    try redis.giveBack(Self.start, 2, ["c@x"])
    #expect(try redis.take(Self.start + 60, most, ["d@x"]) == ["", "d@x"])
    #expect(try redis.take(Self.start + 120, most, ["c@x"]) == ["n"])
    #expect(try redis.take(Self.start + 25 * 3600, most, ["c@x", "e@x"]) == ["", "c@x", "e@x"])
  }

  @Test func moreAtOnceGoOnAtThePaceOfADays() throws {
    let redis = try Redis()
    #expect(try redis.take(Self.start, Most(), Self.people(1...100)).first == "")
    #expect(try redis.take(Self.start, Most(), Self.people(1...50)) == ["b"])
    // 50 of 1000 a day.
    #expect(try redis.take(Self.start + 4000, Most(), Self.people(1...50)) == ["b"])
    #expect(try redis.take(Self.start + 4400, Most(), Self.people(1...50)) == [""])
  }

  @Test func afterNoLimitAtAllThereIsNothingToWaitFor() throws {
    let redis = try Redis()
    let any = Most(recipients: 0)
    for mail in 1...30 {
      #expect(try redis.take(Self.start + mail, any, Self.people(1...100)).first == "")
    }
    #expect(Double(try redis.field("level")) == 0)
    #expect(try redis.take(Self.start + 90000, Most(), ["a@x"]).first == "")
  }

  @Test func aLimitThatWasHigherHoldsNobodyUpForMoreThanADay() throws {
    let redis = try Redis()
    let high = Most(recipients: 50000, burst: 50000)
    for mail in 1...30 {
      #expect(try redis.take(Self.start + mail, high, Self.people(1...500)).first == "")
    }
    // They count as recipients of the day until then.
    #expect(try redis.take(Self.start + 3600, Most(), ["a@x"]) == ["r"])
    #expect(try redis.take(Self.start + 90000, Most(), ["a@x"]).first == "")
  }

  @Test func aClockThatWasAheadHoldsNobodyUp() throws {
    let redis = try Redis()
    var most = Most()
    most.new = 100
    #expect(try redis.take(Self.start + 900 * 86400, most, Self.people(1...100)).first == "")
    // Put right. What was sent at once is still that.
    #expect(try redis.take(Self.start, most, ["p1@elsewhere.example", "p2@elsewhere.example"]) == ["b"])
    #expect(try redis.take(Self.start + 300, most, ["a@x"]) == ["", "a@x"])
    let kept = try redis.command(["HKEYS", SendingScripts.keys(Self.user)[0]])
    #expect(!kept.contains(":\((Self.start + 900 * 86400) / 3600)"), "\(kept)")
  }
}
