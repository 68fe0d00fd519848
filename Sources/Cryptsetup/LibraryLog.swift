import CCryptsetup
import Linux

/// Collects what libcryptsetup reports as errors while it lives.
///
/// Only one may live at a time: `crypt_init` and the device-mapper code log to a callback that is global to the process.
final class LibraryLog {
  private var lines: [String] = []

  init() {
    crypt_set_log_callback(nil, Self.callback, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    crypt_set_log_callback(nil, Self.discard, nil)
  }

  /// Collects for `device` too, which must not outlive this object.
  func attach(to device: OpaquePointer) {
    crypt_set_log_callback(device, Self.callback, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The messages since the last call as one line, or else the text of `code`, an errno.
  func take(orTextOf code: Int32) -> String {
    defer { lines = [] }
    return lines.isEmpty ? errnoText(code) : lines.joined(separator: " ")
  }

  var isEmpty: Bool { lines.isEmpty }

  private static let callback: @convention(c) (Int32, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void = {
    level, message, context in
    guard level == CRYPT_LOG_ERROR, let message, let context else { return }
    let log = Unmanaged<LibraryLog>.fromOpaque(context).takeUnretainedValue()
    let line = String(cString: message).split(whereSeparator: \.isNewline).joined(separator: " ")
    // A retry repeats its message.
    if !line.isEmpty && log.lines.last != line { log.lines.append(line) }
  }

  /// With no callback at all the library prints to standard output.
  private static let discard: @convention(c) (Int32, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void = {
    _, _, _ in
  }
}
