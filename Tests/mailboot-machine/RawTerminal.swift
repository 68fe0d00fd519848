import Foundation
import MachineKit

/// The person's terminal, connected to a serial line of a machine.
struct RawTerminal {
  /// Whether a person can both type and read here.
  static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  /// Ctrl-].
  private static let leaving: UInt8 = 0x1D

  /// Connects both until Ctrl-] is typed, stdin ends or the machine goes off; then the terminal is as it was.
  static func connect(to console: SerialConsole, of guest: any Guest) throws {
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw UsageError(what: "standard input is no terminal") }
    var raw = before
    cfmakeraw(&raw)
    tcsetattr(STDIN_FILENO, TCSANOW, &raw)
    defer {
      console.listen(nil)
      tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
      print()
    }
    console.listen { bytes in
      FileHandle.standardOutput.write(Data(bytes))
    }
    while guest.isOn {
      var request = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&request, 1, 500) > 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 256)
      let count = read(STDIN_FILENO, &bytes, bytes.count)
      guard count > 0 else { return }
      let typed = bytes[..<count].prefix { $0 != leaving }
      try console.send(Array(typed))
      if typed.count < count { return }
    }
  }
}
