import Glibc

/// The address of a Unix socket: a path, or a name in the abstract space.
struct UnixAddress {
  private var storage = sockaddr_un()
  private let length: socklen_t

  /// - Parameter name: an absolute path, or `@` and an abstract name, as in `NOTIFY_SOCKET`. Nil when it is neither or too long.
  init?(_ name: String) {
    let bytes = Array(name.utf8)
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"), bytes.count > 1,
      !bytes.contains(0), bytes.count < MemoryLayout.size(ofValue: storage.sun_path)
    else { return nil }
    let isAbstract = first == UInt8(ascii: "@")
    storage.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &storage.sun_path) {
      $0.copyBytes(from: bytes)
      if isAbstract { $0[0] = 0 }
    }
    // An abstract name ends with the address, a path with its 0.
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0
    length = socklen_t(offset + bytes.count + (isAbstract ? 0 : 1))
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
