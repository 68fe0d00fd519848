import Glibc
import HostChecks
import MailbootCore

/// Exit statuses besides 0, which says that a reply was written.
enum WorkerExit {
  /// The request could not be read, or the reply not written.
  static let failure: Int32 = 1
  /// No such verb, or no such request.
  static let usage: Int32 = 64
}

/// Runs the one verb in `arguments` and gives the exit status.
func runWorker(arguments: [String]) -> Int32 {
  guard arguments.count == 2, let verb = WorkerVerb(rawValue: arguments[1]) else {
    complain("usage: mailboot-worker \(WorkerVerb.allCases.map(\.rawValue).joined(separator: "|"))")
    return WorkerExit.usage
  }
  do {
    let presence = try confine(keeping: STDERR_FILENO + verb.secretCount)
    switch verb {
    case .inspect: try answer(inspectVault)
    case .open: try answer { openVault($0, whileWanted: presence) }
    case .testKey: try answer(testKey)
    case .format: try answer { format($0, presence) }
    case .mark:
      presence.commit()
      try answer(mark)
    case .keyTable: try answer(keyTable)
    case .addKey: try answer { addKey($0, whileWanted: presence) }
    case .changeKey: try answer { changeKey($0, whileWanted: presence) }
    case .addRecoveryKey: try answer { addRecoveryKey($0, whileWanted: presence) }
    case .removeKey: try answer { removeKey($0, whileWanted: presence) }
    case .backUpHeader: try answer(backUpHeader)
    case .checkHeader: try answer(checkHeader)
    case .restoreHeader: try answer { restoreHeader($0, whileWanted: presence) }
    case .facts: try answer(vaultFacts)
    case .resize: try answer { resizeVault($0, whileWanted: presence) }
    case .discards: try answer { setDiscards($0, whileWanted: presence) }
    case .rekey: try answer { rekeyVault($0, whileWanted: presence) }
    case .close:
      presence.commit()
      try answer(closeVault)
    case .revoke:
      // Left suspended, the vault would hold up whoever uses it.
      presence.commit()
      try answer(revokeKey)
    case .database: try answer(checkDatabase)
    case .probe:
      try answer { (request: ProbeRequest) in
        // Who may connect to a Unix socket is often root alone, at each attempt.
        if !request.url.contains(":///") { becomeNobody() }
        return probe(request)
      }
    case .queue: try answer(countDeferredMail)
    case .dkim: try answer(checkDKIM)
    case .certificate: try answer { checkCertificate($0, now: Int64(time(nil)), whenRead: becomeNobody) }
    }
    return 0
  } catch {
    complain(error.text)
    return error.status
  }
}

/// Why no reply was written.
struct WorkerFailure: Error {
  var status: Int32
  var text: String
}

/// One line to standard error.
func complain(_ text: String) {
  let line = Array("mailboot-worker: \(text)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}
