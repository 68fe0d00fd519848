import CQRCode
import Glibc

/// Why there is no QR code, and what to do about it.
public struct QRFailure: Error, Equatable, Sendable {
  public var summary: String
  public var hint: String?

  public init(_ summary: String, hint: String? = nil) {
    self.summary = summary
    self.hint = hint
  }
}

/// QR codes by libqrencode. It is loaded when one is drawn: Debian has no static library of it, and a mail host needs none of them.
public enum QRCode {
  private static let library = "libqrencode.so.4"

  /// - Throws: when the library is not there, or the text is too long (about 2 kB).
  public static func drawing(_ text: String) throws(QRFailure) -> QRDrawing {
    var made: Result<QRDrawing, QRFailure>?
    text.withCString { start in
      do throws(QRFailure) { made = .success(try drawing(terminated: start)) } catch { made = .failure(error) }
    }
    guard let made else { throw QRFailure("no QR code") }
    return try made.get()
  }

  /// Of a text that is not to be copied: the drawing says as much as the text, but only to who sees it.
  public static func drawing(terminated text: UnsafePointer<CChar>) throws(QRFailure) -> QRDrawing {
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL), let encode = dlsym(handle, "QRcode_encodeString"),
      let free = dlsym(handle, "QRcode_free")
    else {
      throw QRFailure("\(library) cannot be loaded", hint: "the package libqrencode4 has it")
    }
    // Version 0: as small as the text allows. Level M bears the loss of a seventh of it.
    let made = unsafeBitCast(encode, to: mb_qr_encode.self)(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1)
    guard let code = made else { throw QRFailure("no QR code can hold this text") }
    defer { unsafeBitCast(free, to: mb_qr_free.self)(code) }
    let width = Int(code.pointee.width)
    // The lowest bit of each byte is the module, row by row.
    let modules = (0..<width).map { row in (0..<width).map { code.pointee.data[row * width + $0] & 1 == 1 } }
    return QRDrawing(modules: modules)
  }
}
