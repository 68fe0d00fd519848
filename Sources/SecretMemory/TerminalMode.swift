import Glibc
import Synchronization

/// The attributes of a terminal before echo was switched off, for as long as they are not restored.
struct TerminalMode {
  private static let changed = Mutex<TerminalMode?>(nil)

  private let descriptor: Int32
  private let original: termios

  /// Switches echo and line editing off on `descriptor`, which stays open until `restore`.
  ///
  /// `TCSADRAIN` keeps what was typed ahead: a passphrase pasted early over a slow line must not get lost.
  static func hideInput(on descriptor: Int32) throws(TerminalError) -> PassphraseLine.EditingBytes {
    var attributes = termios()
    guard tcgetattr(descriptor, &attributes) == 0 else { throw .failed("tcgetattr", errno) }
    let original = attributes
    attributes.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK | ECHONL | ICANON)
    attributes.c_lflag |= tcflag_t(ISIG)
    // Either would change bytes of a UTF-8 passphrase.
    attributes.c_iflag &= ~tcflag_t(ISTRIP | PARMRK)
    let editing = withUnsafeBytes(of: attributes.c_cc) { PassphraseLine.EditingBytes(controls: $0) }
    withUnsafeMutableBytes(of: &attributes.c_cc) { bytes in
      bytes[Int(VMIN)] = 1
      bytes[Int(VTIME)] = 0
    }
    changed.withLock { $0 = TerminalMode(descriptor: descriptor, original: original) }
    guard setAttributes(descriptor, attributes) == 0 else {
      let code = errno
      restore()
      throw .failed("tcsetattr", code)
    }
    return editing
  }

  /// Gives the terminal its attributes back, if they are changed.
  ///
  /// A failure is passed over: it means that the terminal has hung up, and then there is nothing to restore.
  static func restore() {
    changed.withLock { mode in
      guard let changed = mode else { return }
      _ = setAttributes(changed.descriptor, changed.original)
      mode = nil
    }
  }

  private static func setAttributes(_ descriptor: Int32, _ attributes: termios) -> Int32 {
    var attributes = attributes
    while true {
      let result = tcsetattr(descriptor, TCSADRAIN, &attributes)
      if result == 0 || errno != EINTR { return result }
    }
  }
}
