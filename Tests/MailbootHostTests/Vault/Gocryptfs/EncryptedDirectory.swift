import Foundation
import MailbootCore
import Systemd
import TestSupport
import Testing

@testable import MailbootHost

/// A directory that the real gocryptfs has encrypted, and a mount point for it. Unmounted and gone with the value.
final class EncryptedDirectory {
  static let passphrase = "correct horse"

  private let directory: TemporaryDirectory
  let path: String
  let mountPoint: String
  private var server: Process?

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("crypt")
    mountPoint = directory.file("clear")
    for folder in [path, mountPoint] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }
    // The cheapest key derivation there is.
    let made = try Self.run(["-q", "-init", "-scryptn", "10", path], input: Self.passphrase)
    try #require(made.status == 0, "\(made.said)")
  }

  deinit {
    guard let server else { return }
    kill(server.processIdentifier, SIGKILL)
    // What it has open of its own mount would keep it from ending.
    umount2(mountPoint, Int32(MNT_FORCE | MNT_DETACH))
    umount2(mountPoint, Int32(MNT_DETACH))
    server.waitUntilExit()
  }

  var configuration: Configuration {
    var configuration = Configuration()
    configuration.vault.type = .gocryptfs
    configuration.vault.device = path
    configuration.vault.mount = mountPoint
    return configuration
  }

  var vault: GocryptfsVault { GocryptfsVault(configuration) }

  /// What is true of it now.
  func opening() throws -> Opening { try vault.observe(try #require(MountTable.current())).opening }

  /// As `mailboot` has it started.
  private var arguments: [String] {
    GocryptfsUnit.service(directory: path, mount: mountPoint, options: ["nosuid"], users: [], passphrase: 0).arguments
  }

  /// Mounts it.
  @discardableResult
  func mount(in folder: String = "/", waits: Bool = true, _ changed: (([String]) -> [String])? = nil) throws -> Process
  {
    let process = Process()
    let input = Pipe()
    process.executableURL = URL(fileURLWithPath: GocryptfsUnit.program)
    process.arguments = changed?(arguments) ?? arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = input
    process.standardError = FileHandle.nullDevice
    try process.run()
    try? input.fileHandleForWriting.write(contentsOf: Data(Self.passphrase.utf8))
    try input.fileHandleForWriting.close()
    server = process
    guard waits else { return process }
    try waitUntil("it is mounted and answers") { try opening().vault?.flaws.isEmpty ?? false }
    return process
  }

  func signal(_ number: Int32) throws {
    let process = try #require(server)
    kill(process.processIdentifier, number)
    if number == SIGKILL { process.waitUntilExit() }
    // Until the last of its threads has stopped, it answers.
    if number == SIGSTOP { try waitUntil("all of it stands still") { try Self.isStopped(process.processIdentifier) } }
  }

  private static func isStopped(_ pid: pid_t) throws -> Bool {
    let tasks = "/proc/\(pid)/task"
    return try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
      try String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8).split(separator: ")").last?.hasPrefix(" T ")
        ?? false
    }
  }

  /// Tries to mount it, which fails, with these options and this passphrase.
  func tryToMount(options: [String] = ["nosuid"], passphrase: String = EncryptedDirectory.passphrase) throws -> (
    status: Int32, said: [String]
  ) {
    let service = GocryptfsUnit.service(
      directory: path, mount: mountPoint, options: options, users: [], passphrase: 0)
    return try Self.run(service.arguments, input: passphrase)
  }

  private static func run(_ arguments: [String], input text: String) throws -> (status: Int32, said: [String]) {
    let process = Process()
    let (input, errors) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: GocryptfsUnit.program)
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    // It may end before it reads.
    try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, said.split(separator: "\n").map(String.init))
  }

  func waitUntil(_ what: String, _ isSo: () throws -> Bool) throws {
    let deadline = Reactor.monotonic() + 10
    while try !isSo() {
      try #require(Reactor.monotonic() < deadline, Comment(rawValue: what))
      usleep(10_000)
    }
  }
}
