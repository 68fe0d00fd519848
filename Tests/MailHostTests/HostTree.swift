import Foundation
import TestSupport

/// Another system below a directory, with the packages of a mail host and nothing of ours: `mailhost --root` works on it.
final class HostTree {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  let path: String

  /// - Parameter path: an empty directory; nil: a new one.
  init(at path: String? = nil) throws {
    self.path = path ?? NSTemporaryDirectory() + "mailhost-tree-" + UUID().uuidString
    try write(
      "/etc/passwd",
      """
      root:x:0:0:root:/root:/bin/bash
      vmail:x:5000:5000::/vault/vmail:/usr/sbin/nologin
      _rspamd:x:990:990::/var/lib/rspamd:/usr/sbin/nologin
      redis:x:991:991::/var/lib/redis:/usr/sbin/nologin

      """)
    try write("/etc/group", "root:x:0:\nvmail:x:5000:\n_rspamd:x:990:\nredis:x:991:\n")
    try write("/etc/debian_version", "12.15\n")
    let packages = [
      "ca-certificates 20230311", "dovecot-core 1:2.3.19.1+dfsg1-2.1+deb12u7", "dovecot-imapd 1:2.3.19.1",
      "dovecot-lmtpd 1:2.3.19.1", "dovecot-sieve 1:2.3.19.1", "dovecot-sqlite 1:2.3.19.1",
      "dovecot-managesieved 1:2.3.19.1", "postfix 3.7.11-0+deb12u1", "postfix-sqlite 3.7.11-0+deb12u1", "rspamd 3.4-1",
      "redis-server 5:7.0.15-1",
    ]
    try setPackages(packages)
    for name in ["fullchain", "privkey"] { try write("/etc/letsencrypt/live/mail.example.org/\(name).pem", "pem\n") }
    try settings()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func setPackages(_ packages: [String]) throws {
    let paragraphs = packages.map { package -> String in
      let words = package.split(separator: " ")
      return "Package: \(words[0])\nStatus: install ok installed\nVersion: \(words[1])\n"
    }
    try write("/var/lib/dpkg/status", paragraphs.joined(separator: "\n"))
  }

  /// A small `mailhost.toml`, and more lines before its tables.
  func settings(_ lines: String = "") throws {
    try write(
      "/etc/mailboot/mailhost.toml",
      """
      mail_server_hostname = "mail.example.org"
      admin_email = "alice@example.org"
      vault_type = "none"
      mail_domains = ["example.org"]
      mail_users = ["alice@example.org"]
      \(lines)

      """)
  }

  func write(_ name: String, _ text: String) throws {
    let file = path + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
  }

  func text(_ name: String) -> String? { try? String(contentsOfFile: path + name, encoding: .utf8) }

  /// - Parameter stop: before which step it is to be killed, from 1 on.
  @discardableResult
  func mailhost(_ words: [String], stop: Int? = nil) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try builtProgram("mailhost"))
    process.arguments =
      words + [
        "--root", path, "--config", path + "/etc/mailboot/mailhost.toml", "--templates",
        repositoryFile("templates").path,
      ]
    process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin", "MAILHOST_STOP": stop.map(String.init)].compactMapValues(
      \.self)
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Outcome(
      status: status, output: String(decoding: said, as: UTF8.self), errors: String(decoding: complained, as: UTF8.self)
    )
  }

  /// Every file below `/etc/postfix`, `/etc/dovecot`, `/etc/rspamd`, `/etc/redis`, with what is in it and its mode.
  func configuration() -> [String: String] {
    var files: [String: String] = [:]
    for directory in ["/etc/postfix", "/etc/dovecot", "/etc/rspamd", "/etc/redis", "/etc/systemd"] {
      for name in FileManager.default.subpaths(atPath: path + directory) ?? [] {
        let file = "\(directory)/\(name)"
        guard let text = text(file) else { continue }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path + file)[.posixPermissions]) as? Int ?? 0
        files[file] = "\(String(mode, radix: 8)) \(text)"
      }
    }
    return files
  }
}
