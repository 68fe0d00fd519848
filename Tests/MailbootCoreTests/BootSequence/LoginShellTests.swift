import MailbootCore
import Testing

struct LoginShellTests {
  @Test func aCallByNameKeepsItsArguments() {
    #expect(LoginShell.call(["mailboot", "verify", "--format", "json"]) == .arguments(["verify", "--format", "json"]))
    #expect(LoginShell.call(["mailboot"]) == .arguments([]))
  }

  @Test func aLoginIsACallWithoutArguments() {
    #expect(LoginShell.call(["-mailboot"]) == .arguments([]))
  }

  @Test(
    arguments: [
      ("mailboot unlock --stdin", ["unlock", "--stdin"]), ("unlock --stdin --raw", ["unlock", "--stdin", "--raw"]),
      ("/usr/sbin/mailboot status --format json", ["status", "--format", "json"]), ("status", ["status"]),
      ("  mailboot \t status ", ["status"]), ("mailboot", []),
    ])
  func aCommandOfTheFewIsDone(_ command: String, _ arguments: [String]) {
    #expect(LoginShell.call(["mailboot", "-c", command]) == .arguments(arguments))
  }

  @Test(
    arguments: [
      "", " ", "sh", "/bin/sh -c id", "mailboot lock", "mailboot guard remove", "unlock --config /tmp/x",
      "unlock --key-file /etc/shadow", "unlock --stdin; sh", "unlock --stdin ; sh", "unlock $(id)", "status | sh",
      "status\nsh", "mailboot status --format=json --config=/x", "/tmp/mailboot unlock", "mailboot mailboot unlock",
      "/usr/lib/openssh/sftp-server", "--stdin", "mailboot --config /tmp/x", "unlock --passphrase-fd 3",
    ])
  func anyOtherIsRefused(_ command: String) {
    #expect(LoginShell.call(["mailboot", "-c", command]) == .refused(command))
    #expect(LoginShell.call(["-mailboot", "-c", command]) == .refused(command))
  }

  @Test func moreWordsBehindACommandAreNoCommand() {
    // A shell would take them for $0 and on; no login does that, so they are arguments, and none that we know.
    #expect(LoginShell.call(["mailboot", "-c", "status", "sh"]) == .arguments(["-c", "status", "sh"]))
  }
}
