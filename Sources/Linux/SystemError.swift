import Glibc

/// What `errno` says, in words.
public func errnoText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// The machine refused something; `text` says what, and why in the kernel's words.
public struct SystemError: Error, CustomStringConvertible {
  public let text: String

  public init(_ text: String) { self.text = text }

  public var description: String { text }
}
