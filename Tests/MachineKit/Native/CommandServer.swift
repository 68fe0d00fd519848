import Glibc

/// Asks the command server of a native host: see `command-server` in `machine/files`.
struct CommandServer: Sendable {
  /// The host's directory that is `/run/mailboot-machine` inside.
  let directory: String

  /// Connects to it.
  /// - Returns: `nil` while it does not listen yet.
  func connect() throws -> Descriptor? {
    let place = try Descriptor(path: directory, flags: O_RDONLY | O_DIRECTORY)
    let number = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw MachineError.system("socket", code: errno) }
    let connection = Descriptor(number)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // The directory by its number: its path may be longer than an address.
    let path = Array("/proc/self/fd/\(place.number)/commands".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if result == 0 { return connection }
    guard [ENOENT, ECONNREFUSED].contains(errno) else { throw MachineError.system("connect", code: errno) }
    return nil
  }

  /// Has a command run.
  /// - Parameter descriptors: its standard input, output and error; closed here once they are sent.
  /// - Returns: its process id in the host, and the connection on which its status will come.
  func start(_ command: String, _ descriptors: [Descriptor]) throws -> (pid: Int, connection: Descriptor) {
    guard let connection = try connect() else { throw MachineError(.gone, "the host takes no commands") }
    try Self.send(Array(command.utf8), descriptors.map(\.number), to: connection)
    for descriptor in descriptors { descriptor.close() }
    guard let pid = Int(String(decoding: try connection.readSome(), as: UTF8.self)) else {
      throw MachineError(.gone, "the host did not start a command")
    }
    return (pid, connection)
  }

  /// The process id of the server as this host counts, which is in the native host's namespaces.
  func process() throws -> pid_t {
    guard let connection = try connect() else { throw MachineError(.gone, "the host takes no commands") }
    // `struct ucred`: process, user, group.
    var peer: [Int32] = [0, 0, 0]
    var size = socklen_t(12)
    guard getsockopt(connection.number, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else {
      throw MachineError.system("getsockopt", code: errno)
    }
    return peer[0]
  }

  /// Sends one packet with descriptors, as unix(7) has it.
  private static func send(_ bytes: [UInt8], _ descriptors: [Int32], to socket: Descriptor) throws {
    // The macros of cmsg(3) are not visible here. A header of 16 bytes: length, level, type; then the numbers, padded to 8 bytes.
    let length = 16 + 4 * descriptors.count
    var control = [UInt64](repeating: 0, count: (length + 7) / 8)
    control[0] = UInt64(length)
    let result = control.withUnsafeMutableBytes { control in
      control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
      control.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
      for (index, number) in descriptors.enumerated() {
        control.storeBytes(of: number, toByteOffset: 16 + 4 * index, as: Int32.self)
      }
      return bytes.withUnsafeBytes { bytes in
        var piece = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &piece) { piece in
          var message = msghdr()
          message.msg_iov = piece
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = control.count
          return sendmsg(socket.number, &message, Int32(MSG_NOSIGNAL))
        }
      }
    }
    guard result == bytes.count else { throw MachineError.system("sendmsg", code: errno) }
  }
}
