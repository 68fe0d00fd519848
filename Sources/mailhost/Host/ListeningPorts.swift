import Glibc
import Linux

/// Who listens on which TCP port of this host.
struct ListeningPorts {
  struct Listener: Equatable {
    var port: Int
    var program: String
    var process: Int32
  }

  /// Ports of the mail host, and the programs that may have them.
  private static let ours: [(port: Int, programs: Set<String>)] = [
    (25, ["master"]), (465, ["master"]), (587, ["master"]), (10025, ["master"]), (993, ["dovecot"]),
    (4190, ["dovecot"]),
    (11332, ["rspamd"]), (11333, ["rspamd"]), (11334, ["rspamd"]), (6379, ["redis-server", "valkey-server"]),
  ]

  /// What keeps a daemon of ours from its port: other programs, by name.
  static func taken() -> [Listener] {
    let wanted = Set(ours.map(\.port))
    var sockets: [String: Int] = [:]
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
      for line in (readSmallText(table) ?? "").split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        // 0A is LISTEN.
        guard fields.count > 9, fields[3] == "0A",
          let port = fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }),
          wanted.contains(port)
        else { continue }
        sockets["socket:[\(fields[9])]"] = port
      }
    }
    guard !sockets.isEmpty else { return [] }
    var listeners: [Listener] = []
    for name in listDirectory("/proc") ?? [] {
      guard let process = Int32(name) else { continue }
      let program = readAttribute("/proc/\(name)/comm") ?? ""
      // Children inherit what their daemon listens to: it is enough to look at who is none of ours.
      if ours.contains(where: { $0.programs.contains(program) }) || isOurs(program) { continue }
      for descriptor in listDirectory("/proc/\(name)/fd") ?? [] {
        guard let port = sockets[target("/proc/\(name)/fd/\(descriptor)")] else { continue }
        if !listeners.contains(where: { $0.port == port }) {
          listeners.append(Listener(port: port, program: program, process: process))
        }
      }
    }
    return listeners.sorted { $0.port < $1.port }
  }

  /// Children of postfix and dovecot have other names than their masters; rspamd's are titled "rspamd: …".
  private static func isOurs(_ program: String) -> Bool {
    ["smtpd", "imap-login", "managesieve-log", "anvil", "rspamd"].contains { program.hasPrefix($0) }
  }

  private static func target(_ path: String) -> String {
    var bytes = [CChar](repeating: 0, count: 64)
    let count = readlink(path, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
  }
}
