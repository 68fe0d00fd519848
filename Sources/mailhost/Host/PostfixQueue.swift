import Console
import Glibc
import Linux
import MailHost

/// Postfix's queue on this host, through postfix's own programs.
struct PostfixQueue {
  private static let postqueue = "/usr/sbin/postqueue"
  private static let postsuper = "/usr/sbin/postsuper"
  /// Seconds to list it: each mail is a file to be read, on a slow vault some thousand a second.
  private static let readingTime = 600.0
  /// Seconds to change it.
  private static let changingTime = 1800.0

  /// - Throws: when nobody can look into it now.
  init(_ options: HostOptions) throws(HostFailure) {
    guard options.prefix.isEmpty else {
      throw HostFailure(.usage, "--root: only the queue of a postfix that runs here can be looked into")
    }
    // A host that was made otherwise has a queue, too.
    if options.config != HostOptions.standardPath || fileStatus(options.config) != nil {
      let settings = try options.settings()
      guard !settings.isInVault(settings.queue) || Vault(settings: settings, root: HostRoot(prefix: "")).isOpen else {
        throw HostFailure(
          .locked, "\(settings.queue) is in the vault, and the vault is locked",
          hint: "`mailboot` unlocks it; then once more")
      }
    }
    guard fileStatus(Self.postqueue) != nil else {
      throw HostFailure(.failed, "postfix is not installed", hint: "`mailhost apply` installs it")
    }
  }

  /// Hands over each mail, in the order in which postfix has them.
  /// - Returns: how many there are of which nothing can be said.
  func read(each: (QueuedMail) throws(HostFailure) -> Void) throws(HostFailure) -> Int {
    var lines = QueueLines()
    let said = try run([Self.postqueue, "-j"], seconds: Self.readingTime) { (piece) throws(HostFailure) in
      try lines.take(piece, each: each)
    }
    guard said.status == 0 else { throw failure(of: said, "the queue cannot be listed") }
    try lines.finish(each: each)
    // Root sees it all the same.
    if said.errors.contains("system is down") { tell("note: postfix does not run: nothing is delivered") }
    return lines.unread
  }

  /// Lets postfix try all of it now.
  func flush() throws(HostFailure) {
    let said = try run([Self.postqueue, "-f"])
    guard said.status == 0 else { throw failure(of: said, "the queue cannot be flushed") }
  }

  /// Lets postfix try all mail for a destination of which it keeps a list (`fast_flush_domains`).
  /// - Returns: whether it does.
  func flush(site: String) throws(HostFailure) -> Bool {
    let said = try run([Self.postqueue, "-s", site])
    if said.status != 0, said.errors.contains("system is down") {
      throw failure(of: said, "the queue cannot be flushed")
    }
    return said.status == 0
  }

  /// Lets postfix try one mail now.
  func flush(id: String) throws(HostFailure) {
    let said = try run([Self.postqueue, "-i", id])
    guard said.status == 0 else { throw failure(of: said, "\(id) cannot be flushed") }
  }

  /// Changes mails by their names.
  /// - Parameter onlyDeferred: those are left alone that are not deferred any more.
  /// - Returns: how many it were; others had left the queue meanwhile.
  func change(_ action: QueueAction, _ ids: [String], onlyDeferred: Bool) throws(HostFailure) -> Int {
    let said = try run(
      [Self.postsuper, action.postsuperOption, "-"] + (onlyDeferred ? ["deferred"] : []),
      input: Array(ids.map { $0 + "\n" }.joined().utf8), seconds: Self.changingTime)
    guard said.status == 0 else { throw failure(of: said, "not all of it could be done") }
    return action.count(inReport: said.errors) ?? 0
  }

  private func failure(of said: ToolOutput, _ text: String) -> HostFailure {
    let isDown = said.errors.contains("system is down")
    return HostFailure(
      // EX_NOPERM: `authorized_mailq_users` and the like.
      said.status == 77 ? .notPermitted : .failed, text + (isDown ? ": postfix does not run" : ""),
      evidence: said.evidence,
      hint: isDown
        ? "`mailboot status` shows why; `systemctl start postfix`"
        : said.status == 77 ? "call it as root" : "`postfix check` tells more")
  }
}
