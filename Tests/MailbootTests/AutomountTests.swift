import Foundation
import TestSupport
import Testing

/// A mount point with `x-systemd.automount`: who looks into it waits for a mount that only the passphrase can bring. Here nobody ever
/// mounts, on a real automount point in a mount namespace of its own.
struct AutomountTests {
  private func run(_ script: String) throws -> String {
    let directory = try TemporaryDirectory()
    let vault = directory.file("vault")
    try directory.write(
      "mailboot.toml", "[vault]\nmount = \"\(vault)\"\n[[bind]]\nfrom = \"\(vault)/www\"\nto = \"\(directory.path)\"\n")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--mount", "--propagation", "private", "/bin/sh", "-c",
      """
      mkdir "$DIR/vault"
      mkfifo "$DIR/pipe"
      exec 9<>"$DIR/pipe"
      # Processes of that group would not set it going.
      setsid sleep 60 & other=$!
      trap 'kill $other' EXIT
      sleep 0.2
      mount -t autofs -o fd=9,pgrp=$other,minproto=5,maxproto=5,direct systemd-1 "$DIR/vault" || exit 1
      try() { timeout 10 "$@" >/dev/null 2>&1; [ $? -eq 124 ] && echo "hangs: ${1##*/} $2" || echo "ends: ${1##*/} $2"; }
      \(script)
      """,
    ]
    process.environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DIR": directory.path, "CONFIG": directory.file("mailboot.toml"),
      "MAILBOOT": try builtProgram("mailboot"), "MAILCFG": try builtProgram("mailcfg"),
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return said
  }

  @Test func nothingOfOursLooksIntoIt() throws {
    let said = try run(
      """
      timeout 2 ls "$DIR/vault" >/dev/null 2>&1; [ $? -eq 124 ] && echo "it is one"
      try "$MAILBOOT" status --config "$CONFIG"
      try "$MAILBOOT" plan --config "$CONFIG"
      try "$MAILBOOT" verify --config "$CONFIG"
      try "$MAILBOOT" guard status --config "$CONFIG"
      try "$MAILCFG" lsdom --config "$CONFIG"
      """)
    #expect(
      said == "it is one\n"
        + ["mailboot status", "mailboot plan", "mailboot verify", "mailboot guard", "mailcfg lsdom"]
        .map { "ends: \($0)\n" }.joined())
  }
}
