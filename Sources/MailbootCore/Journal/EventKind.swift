/// What an entry in the journal is about. The ids never change: catalog, history and people's filters rely on them.
public enum EventKind: String, CaseIterable, Sendable {
  case waiting
  case reminder
  case unlockBegun = "unlock-begun"
  case passphraseRefused = "passphrase-refused"
  case unlockFinished = "unlock-finished"
  case unlockFailed = "unlock-failed"
  case lockBegun = "lock-begun"
  case keyRevoked = "key-revoked"
  case lockFinished = "lock-finished"
  case lockFailed = "lock-failed"
  case degraded
  case recovered
  case serviceFailed = "service-failed"
  case serviceRecovered = "service-recovered"
  case notifyFailed = "notify-failed"
  case notifyTimedOut = "notify-timed-out"
  case guardInstalled = "guard-installed"
  case guardRemoved = "guard-removed"

  /// 128 bits as hexadecimal digits, for `MESSAGE_ID=`.
  public var messageID: String {
    switch self {
    case .waiting: "e5b4403528a341bf9e7363391f89bbf6"
    case .reminder: "f4902c138a2d496baf8db19818c059d3"
    case .unlockBegun: "06da5d71dbe045309200cb47b82080e5"
    case .passphraseRefused: "886c13ec6d7e4cdcb8826346dc0d2e32"
    case .unlockFinished: "d0726c4dd8ef462c926215cbb830285e"
    case .unlockFailed: "76616ea792ba4d0c9206af6210e97c16"
    case .lockBegun: "152ae26701be48f4bb4f49a3b60980bd"
    case .keyRevoked: "b513d63db5994e03973c1e0a94d3381f"
    case .lockFinished: "b83d48e000194f6fb2d78d32d13e1058"
    case .lockFailed: "52139b51f754460cae75daf6de8239a7"
    case .degraded: "78ae0c4961284997adf8e9cc7330750a"
    case .recovered: "7c69311bc8764620aa455fb64ca77f2c"
    case .serviceFailed: "d8bb4311895847f2811ff4aacf95158c"
    case .serviceRecovered: "08c819ce232c411183a889a43be571e1"
    case .notifyFailed: "1b148b56c6e746f5bd96ffcf8820535d"
    case .notifyTimedOut: "4e127aa7076146399804cf7281c0dda8"
    case .guardInstalled: "c339c801e2594a9dbd4e5b9f12bfcd90"
    case .guardRemoved: "5e54dce741a44e858c448afee37aa51f"
    }
  }

  public init?(messageID: String) {
    guard let kind = Self.allCases.first(where: { $0.messageID == messageID }) else { return nil }
    self = kind
  }
}

/// How much an event matters; the numbers of syslog(3).
public enum EventPriority: Int32, Sendable {
  case error = 3
  case warning, notice, informational
}
