import Foundation
import MailHost
import TestSupport
import Testing

/// Whatever ends `mailhost relay`, postfix has the old mail host with the old password, or the new one with the new one.
@Suite(.serialized, .enabled(if: geteuid() == 0, "mounting takes root"))
struct RelayInterruptedTests {
  /// A machine without systemd, of which only what `mailhost relay` looks at is there.
  private final class Machine {
    let directory: TemporaryDirectory

    init() throws {
      directory = try TemporaryDirectory()
      try directory.write(
        "status",
        ["ca-certificates", "libsasl2-modules", "postfix"].map {
          "Package: \($0)\nStatus: install ok installed\nVersion: 3.7.11\n\n"
        }.joined())
      try directory.write(
        "make",
        """
        set -e
        cd "$1"
        mkdir -p etc/postfix lib/dpkg run sbin
        mv status lib/dpkg/status
        cp /etc/passwd /etc/group /etc/nsswitch.conf etc/
        [ ! -e /etc/ld.so.cache ] || cp /etc/ld.so.cache etc/
        echo '127.0.1.1 web1.home.example web1' >etc/hosts
        printf '#!/bin/sh\\nexit 0\\n' >sbin/postconf
        chmod +x sbin/postconf
        """)
      try directory.write(
        "inside",
        """
        set -e
        hostname web1
        root=$1; shift
        /usr/bin/mount --bind "$root/etc" /etc
        /usr/bin/mount --bind "$root/lib" /var/lib
        /usr/bin/mount --bind "$root/run" /run
        /usr/bin/mount --bind "$root/sbin" /usr/sbin
        exec "$@"
        """)
      let made = try Self.run(["/bin/sh", directory.file("make"), directory.path])
      #expect(made.status == 0, "\(made.text)")
    }

    /// - Parameter stop: the step before which it is killed; nil: none.
    @discardableResult
    func relay(_ arguments: [String], password: String, stop: Int? = nil) throws -> (status: Int32, text: String) {
      try Self.run(
        [
          "/usr/bin/unshare", "-m", "-u", "--propagation", "private", "/bin/sh", directory.file("inside"),
          directory.path, try builtProgram("mailhost"), "relay", "--templates", repositoryFile("templates").path,
        ] + arguments, input: password, stop: stop)
    }

    private static func run(
      _ arguments: [String], input: String = "", stop: Int? = nil
    ) throws -> (status: Int32, text: String) {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: arguments[0])
      process.arguments = Array(arguments.dropFirst())
      process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      if let stop { process.environment?["MAILHOST_STOP"] = String(stop) }
      let (stdin, output) = (Pipe(), Pipe())
      process.standardInput = stdin
      (process.standardOutput, process.standardError) = (output, output)
      try process.run()
      try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      try stdin.fileHandleForWriting.close()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return (
        process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus, text
      )
    }

    /// What postfix would send by: the mail host, the login's domain in its senders, and the line with the password.
    func sending() throws -> [String] {
      let main = MainCF(try String(contentsOfFile: directory.file("etc/postfix/main.cf"), encoding: .utf8)).values
      let map = try #require(main["smtp_sasl_password_maps"])
      let path = directory.path + "/" + map.dropFirst("texthash:/".count)
      let senders = main["sender_canonical_maps"] ?? ""
      let domain = senders.split(separator: "@").last.map(String.init) ?? ""
      return [main["relayhost"] ?? "", domain, try String(contentsOfFile: path, encoding: .utf8)]
    }

    func passwords() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: directory.file("etc/postfix")).filter {
        $0.hasPrefix("mailhost-login")
      }
    }
  }

  private static let old = ["mail.example.org", "--login", "relay@example.org"]
  private static let oldSending = [
    "[mail.example.org]:465", "example.org } }", "[mail.example.org]:465 relay@example.org:one\n",
  ]

  @Test(arguments: [
    (["mail.example.net", "--login", "relay@example.net"], "mail.example.net", "relay@example.net"),
    // The same mail host, and somebody else there.
    (["mail.example.org", "--login", "bob@example.net"], "mail.example.org", "bob@example.net"),
  ])
  func aKillLeavesAMailHostWithItsPassword(_ new: [String], _ host: String, _ login: String) throws {
    let newSending = ["[\(host)]:465", "example.net } }", "[\(host)]:465 \(login):two\n"]
    var kills = 0
    var wereNew = 0
    for stop in 1...20 {
      let machine = try Machine()
      let first = try machine.relay(Self.old, password: "one")
      #expect(first.status == 0, "\(first.text)")
      #expect(try machine.sending() == Self.oldSending)
      let killed = try machine.relay(new, password: "two", stop: stop)
      let sending = try machine.sending()
      #expect(sending == Self.oldSending || sending == newSending, "\(stop): \(sending)")
      if sending == newSending { wereNew += 1 }
      guard killed.status != 0 else {
        #expect(sending == newSending)
        break
      }
      #expect(killed.status == -SIGKILL, "\(killed.text)")
      kills += 1
      // The same call again does what it was asked for, whatever the one before has left.
      let again = try machine.relay(new, password: "two")
      #expect(again.status == 0, "\(stop): \(again.text)")
      #expect(try machine.sending() == newSending, "\(stop): \(again.text)")
      let passwords = try machine.passwords()
      #expect(passwords.count == 1, "\(stop): \(passwords)")
      #expect(try machine.relay([], password: "").text.hasSuffix("nothing to do\n"))
    }
    // Stage, validate, begin, two files, tell, commit; at the last two the new files were there.
    #expect(kills >= 7 && wereNew >= 2, "\(kills) \(wereNew)")
  }
}
