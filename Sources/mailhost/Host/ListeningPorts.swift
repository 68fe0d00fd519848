import Glibc
import Linux

/// Who listens on which TCP port of this host.
struct ListeningPorts {
  struct Listener: Equatable {
    var port: Int
    var program: String
    var process: Int32
  }

  /// Ports of the mail host.
  private static let ports: Set = [25, 465, 587, 993, 4190, 6379, 10025, 11332, 11333, 11334]
  /// Where the daemons that may have them, and their children, are installed.
  private static let places = [
    "/usr/lib/postfix/", "/usr/lib/dovecot/", "/usr/libexec/dovecot/", "/usr/sbin/dovecot", "/usr/bin/rspamd",
    "/usr/bin/redis-", "/usr/bin/valkey-",
  ]

  /// What keeps a daemon of ours from its port: other programs, by name.
  static func taken() -> [Listener] {
    var sockets: [String: Int] = [:]
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
      for line in (readSmallText(table) ?? "").split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        // 0A is LISTEN.
        guard fields.count > 9, fields[3] == "0A",
          let port = fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }),
          ports.contains(port)
        else { continue }
        sockets["socket:[\(fields[9])]"] = port
      }
    }
    guard !sockets.isEmpty else { return [] }
    var listeners: [Listener] = []
    for name in listDirectory("/proc") ?? [] {
      guard let process = Int32(name) else { continue }
      // By its file: names of processes are anybody's, and OpenSMTPD has an smtpd, too.
      let file = target("/proc/\(name)/exe")
      if places.contains(where: file.hasPrefix) { continue }
      for descriptor in listDirectory("/proc/\(name)/fd") ?? [] {
        guard let port = sockets[target("/proc/\(name)/fd/\(descriptor)")] else { continue }
        if !listeners.contains(where: { $0.port == port }) {
          listeners.append(
            Listener(
              port: port, program: readAttribute("/proc/\(name)/comm") ?? file, process: process))
        }
      }
    }
    return listeners.sorted { $0.port < $1.port }
  }

  private static func target(_ path: String) -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    let count = readlink(path, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
  }
}
