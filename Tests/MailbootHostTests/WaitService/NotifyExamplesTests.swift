import Foundation
import JSON
import MailbootCore
import TestSupport
import Testing

/// The examples of `notify.d`, run as they are against real servers on loopback: what arrives there.
struct NotifyExamplesTests {
  private static let directory = repositoryFile("packaging/notify.d-examples").standardizedFileURL.path

  /// Everything that quoting can get wrong.
  private static let odd = #"mail "locked" \ 100 % `id` $(id) 'x' {"a": 1} ü🙂 \n"#

  private func variables(summary: String = odd) -> [String: String] {
    [
      "MAILBOOT_EVENT": "change", "MAILBOOT_STATE": "locked", "MAILBOOT_PREVIOUS_STATE": "", "MAILBOOT_HOST": "mail",
      "MAILBOOT_SINCE": "2026-11-22T15:00:00Z", "MAILBOOT_SUMMARY": summary, "MAILBOOT_REASON": "",
    ]
  }

  /// Runs an example as mailboot does: with the variables and nothing else, the status on standard input.
  /// - Returns: its exit status and what it wrote.
  private func run(
    _ name: String, settings: [String: String], variables: [String: String]? = nil, input: String = "{}\n"
  ) throws -> (status: Int32, output: String) {
    let place = try TemporaryDirectory()
    let lines = settings.map { "\($0)='\($1.replacing("'", with: "'\\''"))'\n" }.joined()
    let file = try place.write("notify.env", lines)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(Self.directory)/\(name)")
    process.environment = (variables ?? self.variables()).merging(
      ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAILBOOT_NOTIFY_ENV": file]
    ) { first, _ in first }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle(forReadingAtPath: try place.write("status.json", input))
    try process.run()
    let written = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: written, as: UTF8.self))
  }

  private func only<Element>(_ elements: [Element]) throws -> Element {
    try #require(elements.count == 1, "\(elements)")
    return elements[0]
  }

  @Test(arguments: ["10-ntfy", "20-webhook", "30-mail-relay", "40-matrix"])
  func withoutItsSettingsAnExampleDoesNothing(_ name: String) throws {
    let (status, output) = try run(name, settings: [:])
    #expect(status == 0 && output.isEmpty)
  }

  @Test func ntfyGetsTheSummaryWithAPriority() throws {
    let server = try HTTPRecorder()
    let (status, output) = try run("10-ntfy", settings: ["NTFY_URL": server.url + "/topic", "NTFY_TOKEN": #"tk_"\x"#])
    #expect(status == 0 && output.isEmpty, "\(output)")
    let request = try only(server.requests)
    #expect(request.method == "POST" && request.target == "/topic")
    #expect(request.body == Self.odd)
    #expect(request.headers["title"] == "Mail host mail")
    #expect(request.headers["priority"] == "high" && request.headers["tags"] == "rotating_light")
    #expect(request.headers["authorization"] == #"Bearer tk_"\x"#)
  }

  @Test(arguments: [("ready", "default"), ("degraded", "high"), ("unknown", "high"), ("opening", "low")])
  func ntfyGetsThePriorityOfTheState(_ state: String, _ priority: String) throws {
    let server = try HTTPRecorder()
    var variables = variables()
    variables["MAILBOOT_STATE"] = state
    #expect(try run("10-ntfy", settings: ["NTFY_URL": server.url], variables: variables).status == 0)
    let request = try only(server.requests)
    #expect(request.headers["priority"] == priority)
    #expect(request.headers["authorization"] == nil)
  }

  @Test func aWebhookGetsTheStatusByteForByte() throws {
    let server = try HTTPRecorder()
    let input = JSONText.object([("detail", .string(Self.odd + "\n\t\u{1}")), ("big", .string(big))]).rendered() + "\n"
    let (status, output) = try run(
      "20-webhook", settings: ["WEBHOOK_URL": server.url + "/hook?a=b&c=d", "WEBHOOK_AUTHORIZATION": "Basic eDp5"],
      input: input)
    #expect(status == 0 && output.isEmpty, "\(output)")
    let request = try only(server.requests)
    #expect(request.method == "POST" && request.target == "/hook?a=b&c=d")
    #expect(request.body == input)
    #expect(request.headers["content-type"] == "application/json")
    #expect(request.headers["authorization"] == "Basic eDp5")
    #expect(request.headers["x-mailboot-event"] == "change" && request.headers["x-mailboot-state"] == "locked")
    #expect(request.headers["x-mailboot-previous-state"] == "none")
  }

  /// More than a pipe holds at once.
  private var big: String { String(repeating: "0123456789", count: 20_000) }

  @Test func matrixGetsAMessageInTheRoom() throws {
    let server = try HTTPRecorder()
    let settings = ["MATRIX_SERVER": server.url, "MATRIX_ROOM": "!aB-1:example.org", "MATRIX_TOKEN": "syt_x"]
    let (status, output) = try run("40-matrix", settings: settings)
    #expect(status == 0 && output.isEmpty, "\(output)")
    let request = try only(server.requests)
    #expect(request.method == "PUT")
    let path = try #require(request.target.removingPercentEncoding)
    #expect(path.hasPrefix("/_matrix/client/v3/rooms/!aB-1:example.org/send/m.room.message/mailboot-"))
    #expect(request.headers["authorization"] == "Bearer syt_x")
    let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: String])
    #expect(body == ["msgtype": "m.text", "body": Self.odd])
  }

  @Test(arguments: [
    ("10-ntfy", "NTFY_URL"), ("20-webhook", "WEBHOOK_URL"), ("40-matrix", "MATRIX_SERVER"),
  ])
  func aServerThatRefusesMakesTheExampleFail(_ name: String, _ setting: String) throws {
    let server = try HTTPRecorder(status: "403 Forbidden")
    let settings = [setting: server.url, "MATRIX_ROOM": "!a:b", "MATRIX_TOKEN": "x"]
    let (status, output) = try run(name, settings: settings)
    #expect(status != 0 && output.contains("403"), "\(output)")
  }

  @Test func theRelayGetsAWholeMail() throws {
    let server = try SMTPRecorder()
    let input = ".\n..\n" + JSONText.string(Self.odd).rendered() + "\n" + big + "\n"
    let (status, output) = try run(
      "30-mail-relay",
      settings: [
        "MAIL_RELAY": server.url, "MAIL_RELAY_TLS": "no", "MAIL_FROM": "mailboot@example.net",
        "MAIL_TO": "alice@example.com bob@example.com", "MAIL_USER": "mailboot", "MAIL_PASSWORD": #"s"e\c:ret"#,
      ], input: input)
    #expect(status == 0 && output.isEmpty, "\(output)")
    let mail = try only(server.mails)
    #expect(mail.sender == "mailboot@example.net")
    #expect(mail.recipients == ["alice@example.com", "bob@example.com"])
    #expect(mail.credentials == "\0mailboot\0" + #"s"e\c:ret"#)
    let headers = mail.lines.prefix { !$0.isEmpty }
    #expect(headers.contains("From: mailboot <mailboot@example.net>"))
    #expect(headers.contains("To: alice@example.com, bob@example.com"))
    #expect(headers.contains("Auto-Submitted: auto-generated"))
    #expect(mail.lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { (0x20..<0x7f).contains($0) } })
    #expect(try subject(headers) == Self.odd)
    let encoded = mail.lines.dropFirst(headers.count + 1).joined()
    let body = String(decoding: try #require(Data(base64Encoded: encoded)), as: UTF8.self)
    #expect(
      body == Self.odd + "\nsince 2026-11-22T15:00:00Z\n\nTo unlock: ssh -t root@mail mailboot\n\n" + input)
  }

  @Test(arguments: ["x", String(repeating: "ü", count: 300), "a" + String(repeating: "🙂", count: 50), "ready for 3 h"])
  func aSubjectOfAnyLengthIsCutBetweenCharacters(_ summary: String) throws {
    let server = try SMTPRecorder()
    let settings = [
      "MAIL_RELAY": server.url, "MAIL_RELAY_TLS": "no", "MAIL_FROM": "a@example.net", "MAIL_TO": "b@example.com",
    ]
    #expect(try run("30-mail-relay", settings: settings, variables: variables(summary: summary)).status == 0)
    let mail = try only(server.mails)
    #expect(mail.credentials == nil)
    #expect(try subject(mail.lines.prefix { !$0.isEmpty }) == summary)
  }

  /// RFC 2047: each encoded word is at most 75 long, and decodes by itself.
  private func subject(_ headers: ArraySlice<String>) throws -> String {
    let first = try #require(headers.firstIndex { $0.hasPrefix("Subject: ") })
    let words =
      [headers[first].dropFirst("Subject: ".count)]
      + headers[(first + 1)...].prefix { $0.hasPrefix(" ") }.map { $0.dropFirst() }
    return try words.map { word in
      #expect(word.utf8.count <= 75)
      try #require(word.hasPrefix("=?UTF-8?B?") && word.hasSuffix("?="))
      let data = try #require(Data(base64Encoded: String(word.dropFirst(10).dropLast(2))))
      return try #require(String(validating: data, as: UTF8.self))
    }.joined()
  }

  @Test func aRelayWithoutTLSIsRefusedUnlessItIsAllowed() throws {
    let server = try SMTPRecorder()
    let settings = ["MAIL_RELAY": server.url, "MAIL_FROM": "a@example.net", "MAIL_TO": "b@example.com"]
    let (status, output) = try run("30-mail-relay", settings: settings)
    #expect(status != 0 && !output.isEmpty)
    #expect(server.mails.isEmpty)
  }

  @Test func theSecretsAreInNoCommandLine() throws {
    // The server looks at every process while curl waits for its answer.
    let seen = Shared<[String]>([])
    let server = try LoopbackServer { connection in
      let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      for process in processes where Int(process) != nil {
        let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        seen.append(String(decoding: line, as: UTF8.self).replacing("\0", with: " "))
      }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }
    let settings = ["NTFY_URL": "http://127.0.0.1:\(server.port)/topic", "NTFY_TOKEN": "tk_secret"]
    #expect(try run("10-ntfy", settings: settings).status == 0)
    #expect(seen.value.contains { $0.contains("curl") })
    #expect(!seen.value.contains { $0.contains("tk_secret") || $0.contains("/topic") })
  }
}
