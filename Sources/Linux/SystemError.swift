import Glibc

/// What `errno` says, in words.
public func errnoText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// The machine refused something; `text` says what, and why in the kernel's words.
public struct SystemError: Error, Equatable, CustomStringConvertible {
  public let text: String
  /// The `errno` behind it; 0 when there is none.
  public let code: Int32

  public init(_ text: String, code: Int32 = 0) {
    self.text = text
    self.code = code
  }

  /// What was tried, and what `errno` says of it.
  init(_ what: String, errno code: Int32) { self.init("\(what): \(errnoText(code))", code: code) }

  public var description: String { text }
}
