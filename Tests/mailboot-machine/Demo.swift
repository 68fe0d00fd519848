import Foundation
import MachineKit

/// Shows the main job: a mail host that was just rebooted, silent and locked, is unlocked and delivers mail.
struct Demo {
  let release: Release
  let package: Package?
  /// `nil`: what suits this host.
  let kind: Command.Kind?

  private static let tools = "/usr/local/lib/mailboot-machine"

  /// With a person at the terminal: gives them the console. Otherwise plays it through.
  func perform() async throws -> Int32 {
    let kind = if let kind { kind } else { try await suitable() }
    let place =
      switch kind {
      case .native, .bare:
        "native: a container on this kernel, with a gocryptfs vault; `make demo VAULT=luks` shows one in qemu"
      case .machine: "in qemu, with a LUKS vault"
      }
    Command.say("Getting a \(release.name) mail host ready, \(place). The first time this takes minutes.")
    switch kind {
    case .native, .bare: try await MachineBuild.hosts([release], with: package) { Command.say("  \($0)") }
    case .machine: try await MachineBuild.machines([release], with: required(package)) { Command.say("  \($0)") }
    }
    let guest = try await kind.fresh(release, with: package, booted: false)
    let interruption = Interruption(closing: guest)
    defer { interruption.end() }
    if RawTerminal.isThere {
      try await handOver(guest)
    } else {
      try await play(guest)
    }
    return 0
  }

  /// A machine of its own where KVM runs it at full speed; elsewhere a native host, where nothing is emulated.
  private func suitable() async throws -> Command.Kind {
    try await MachineBuild.runsMachinesAtFullSpeed(release) { Command.say("  \($0)") } ? .machine : .native
  }

  private func handOver(_ guest: any Guest) async throws {
    print(
      """

      This is the console of a mail host that was just switched on. Its vault is locked.
        log in:                root, password \(GuestCredentials.rootPassword)
        unlock it:             mailboot
        the vault's passphrase: \(GuestCredentials.vaultPassphrase)
        then send a mail:      \(Self.tools)/send-mail hello
        and read it:           \(Self.tools)/read-mail hello
        what is true now:      mailboot status
      Ctrl-] leaves and throws the host away.

      """)
    try await guest.powerOn()
    try guest.ttyS0.open()
    try RawTerminal.connect(to: guest.ttyS0, of: guest)
  }

  private func play(_ guest: any Guest) async throws {
    say("A \(release.name) mail host is switched on. Its vault is locked.")
    try await guest.powerOn()
    let console = guest.ttyS0
    try console.open()
    do {
      try await scenes(guest, console)
    } catch {
      show(console)
      throw error
    }
    show(console)
    say("Everything above happened on a host that is gone now.")
  }

  private func scenes(_ guest: any Guest, _ console: SerialConsole) async throws {
    try await console.expect("login: ", timeout: .seconds(300))
    try await guest.succeed("systemctl is-system-running --wait || true", timeout: .seconds(300))
    try console.send("root\n")
    try await console.expect("Password: ", timeout: .seconds(60))
    try console.send(GuestCredentials.rootPassword + "\n")
    try await console.expect(SerialConsole.prompt, timeout: .seconds(60))
    show(console)

    // 2: the vault is locked.
    try await type("mailboot status", on: console, succeeding: 2)

    try console.send("mailboot\n")
    try await console.expect(matching: "(?i)passphrase[^\n]*: ", timeout: .seconds(60))
    show(console)
    try console.send(GuestCredentials.vaultPassphrase + "\n")
    try await finish("mailboot", on: console, succeeding: 0)

    let subject = "hello"
    try await type("\(Self.tools)/send-mail \(subject)", on: console, succeeding: 0)
    let mail = try await type("\(Self.tools)/read-mail \(subject)", on: console, succeeding: 0)
    guard mail.contains("Subject: \(subject)") else {
      throw MachineError(.commandFailed, "the mail that was read is not the one that was sent:\n\(mail)")
    }
    try await type("mailboot status", on: console, succeeding: 0)
  }

  /// Types a command at the prompt and waits for its end.
  @discardableResult
  private func type(_ command: String, on console: SerialConsole, succeeding status: Int32) async throws -> String {
    try console.send(command + "\n")
    return try await finish(command, on: console, succeeding: status)
  }

  /// Waits for the end of what was typed, and checks its exit status without a trace on the console.
  @discardableResult
  private func finish(_ command: String, on console: SerialConsole, succeeding status: Int32) async throws -> String {
    let printed = try await console.expect(matching: "\n[^\n]*\(SerialConsole.prompt)$", timeout: .seconds(600))
    show(console)
    try console.send("echo status=$?\n")
    let answer = try await console.expect(matching: "status=[0-9]+\n[^\n]*\(SerialConsole.prompt)$")
    console.skip()
    guard answer.contains("\nstatus=\(status)\n") else {
      throw MachineError(.commandFailed, "\(command): should have ended with status \(status):\(answer)")
    }
    return printed
  }

  private func show(_ console: SerialConsole) {
    FileHandle.standardOutput.write(Data(console.takeTranscript().utf8))
  }

  private func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\n== \(line)\n\n".utf8))
  }
}
