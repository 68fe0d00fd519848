import Foundation

/// A disposable Debian mail host, locked, with our package installed: a ``Machine`` under qemu or a ``NativeHost`` on this kernel.
///
/// Each is made fresh, on disks of its own, without any way out, and leaves nothing behind. All methods may be called from any task;
/// commands may run side by side. One that nobody closed is ended when its last reference goes, or when the process ends.
public protocol Guest: AnyObject, Sendable {
  var release: Release { get }
  /// A login prompt.
  var ttyS0: SerialConsole { get }
  /// Root's shell, already logged in.
  var ttyS1: SerialConsole { get }
  /// Whether it is switched on.
  var isOn: Bool { get }

  /// Starts a command of `bash` as root, in a session of its own and without a terminal, and does not wait for it.
  /// - Parameter stdin: what it reads; nothing when `nil`.
  func start(_ command: String, stdin: Data?) async throws -> GuestCommand

  /// Switches it on; its consoles can be used from then on.
  func powerOn() async throws
  /// Ends it at once, as a power cut would; the native host's disk then has all that was written.
  func powerCut() async throws
  /// Boots it again from the disk as it is, and waits until systemd has come to rest.
  func bootAgain() async throws
  /// Shuts it down and waits until it is off.
  func shutDown(timeout: Duration) async throws
  /// Ends it at once and removes its disks. Harmless when it is closed already.
  func close()
}

extension Guest {
  /// Runs a command of `bash` as root, without a terminal, and waits for its end.
  ///
  /// The end is that of the command and of everything that holds its outputs open.
  /// - Parameters:
  ///   - stdin: what it reads; nothing when `nil`.
  ///   - timeout: when it passes, the command and its process group are killed.
  public func run(_ command: String, stdin: Data? = nil, timeout: Duration = .seconds(120)) async throws
    -> CommandOutput
  {
    try await start(command, stdin: stdin).wait(timeout: timeout)
  }

  /// Runs a command that must succeed, and returns its standard output.
  /// - Throws: ``MachineError`` of kind `commandFailed` with all it printed.
  @discardableResult
  public func succeed(_ command: String, stdin: Data? = nil, timeout: Duration = .seconds(120)) async throws -> String {
    let output = try await run(command, stdin: stdin, timeout: timeout)
    guard output.status == 0 else {
      throw MachineError(.commandFailed, "\(command): status \(output.status)\n\(output.stdout)\(output.stderr)")
    }
    return output.stdout
  }

  /// Starts a command like ``run(_:stdin:timeout:)`` and does not wait for it.
  public func start(_ command: String) async throws -> GuestCommand { try await start(command, stdin: nil) }

  /// Writes a file in the guest.
  /// - Parameter mode: its permissions, for instance `0o600`.
  public func put(_ path: String, _ data: Data, mode: Int = 0o644) async throws {
    let file = shellQuoted(path)
    try await succeed("set -e; umask 077; : >\(file); chmod \(String(mode, radix: 8)) \(file)")
    // In pieces that the guest agent's parser takes without trouble.
    var rest = data[...]
    while !rest.isEmpty {
      try await succeed("cat >>\(file)", stdin: Data(rest.prefix(1 << 20)))
      rest = rest.dropFirst(1 << 20)
    }
  }

  /// Reads a file of the guest, up to 16 MiB.
  public func get(_ path: String) async throws -> Data {
    let output = try await run("cat -- \(shellQuoted(path))")
    guard output.status == 0 else { throw MachineError(.commandFailed, "read \(path): \(output.stderr)") }
    return output.standardOutput
  }

  public func shutDown() async throws { try await shutDown(timeout: .seconds(180)) }

  /// Reboots it and waits until systemd has come to rest again.
  public func reboot() async throws {
    try await shutDown()
    try await bootAgain()
  }
}
