import Foundation
import TestSupport
import Testing

@testable import MailbootHost

/// A process in a mount namespace of its own, in which a tmpfs is mounted on an empty directory: the only process that can see it.
final class PrivateMount {
  let directory: TemporaryDirectory
  let device: DeviceNumber
  private let process = Process()

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// - Parameter script: of `sh`, with `$DIR` as the mount point. It must say `ready` and go on for long.
  init(_ script: String) throws {
    directory = try TemporaryDirectory()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--mount", "/bin/sh", "-c", "mount -t tmpfs none \"$DIR\" && stat -c %d \"$DIR\" && { \(script); }",
    ]
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DIR": directory.path]
    process.currentDirectoryURL = URL(fileURLWithPath: "/")
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var text = ""
    while !text.contains("ready\n") {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "the script ended: \(text)")
      text += String(decoding: piece, as: UTF8.self)
    }
    let number = try #require(text.split(separator: "\n").first.flatMap { UInt64($0) })
    device = try #require(DeviceNumber("\(number >> 8 & 0xfff):\(number & 0xff | number >> 12 & 0xfff00)"))
  }

  deinit {
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
  }

  var holders: MountHolders { MountHolders(device: device, mountPoints: [directory.path]) }
}
