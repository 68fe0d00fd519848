import CLinux
import Glibc
import HostChecks
import Linux
import MailbootCore

extension ProofKind {
  /// Who may read what, tried as these users.
  static let access: [ProofKind] = [
    ProofKind(
      .databaseAccess,
      hint: "`mailboot verify database` names what to change"
    ) { (run) throws(Silence) in try run.databaseAccess() },
    ProofKind(
      .keyAccess,
      hint: "`mailboot verify dkim certificate` names what to change"
    ) { (run) throws(Silence) in try run.keyAccess() },
    ProofKind(
      .socketModes,
      hint: "`mailhost explain unix_listener`"
    ) { (run) throws(Silence) in run.sockets() },
    ProofKind(
      .queueInVault,
      hint: "`mailhost explain queue_directory`"
    ) { (run) throws(Silence) in try run.queue() },
  ]
}

/// Who may do what with a file.
private struct Permission {
  var path: String
  /// `O_RDONLY` or `O_WRONLY`.
  var way: Int32
  var isExpected: Bool
}

extension ProofRun {
  /// Those that have no business with mail. Not all need to be there.
  private static let strangers = ["nobody", "www-data", "daemon"]

  fileprivate func databaseAccess() throws(Silence) -> Finding {
    let database = subject.database
    func reads(_ isExpected: Bool) -> [Permission] {
      [
        Permission(path: database, way: O_RDONLY, isExpected: isExpected),
        Permission(path: database, way: O_WRONLY, isExpected: false),
      ]
    }
    var seen: [String] = []
    for (name, isReader) in [(subject.mailUser, true), (subject.signer, false)] + Self.strangers.map({ ($0, false) }) {
      guard let user = UserAccount(named: name) else { continue }
      if let surprise = try self.surprise(reads(isReader), as: user) { return .fail(surprise) }
      seen.append(isReader ? "\(name) reads" : "\(name) does not")
    }
    return .pass(seen.joined(separator: ", "))
  }

  fileprivate func keyAccess() throws(Silence) -> Finding {
    var keys: [String] = []
    if subject.spamFilter, subject.selector != nil {
      guard let names = listDirectory(subject.dkim) else { return .fail("\(subject.dkim): \(errnoText())") }
      keys = names.filter { $0.hasSuffix(".key") }.map { "\(subject.dkim)/\($0)" }
    }
    var seen = 0
    for name in [subject.signer, subject.mailUser, subject.postfixUser] + Self.strangers {
      guard let user = UserAccount(named: name) else { continue }
      var permissions = keys.map { Permission(path: $0, way: O_RDONLY, isExpected: name == subject.signer) }
      permissions.append(Permission(path: subject.certificateKey, way: O_RDONLY, isExpected: false))
      if let surprise = try surprise(permissions, as: user) { return .fail(surprise) }
      seen += 1
    }
    return .pass("\(keys.count) signing keys and the certificate's, tried as \(seen) users")
  }

  /// What a user may do otherwise than expected; nil: nothing.
  private func surprise(_ permissions: [Permission], as user: UserAccount) throws(Silence) -> String? {
    let answer: String
    do throws(UserChild.Failure) {
      answer = try UserChild.text(as: user, within: 10) {
        permissions.map { Self.mayOpen($0) ? "y" : "n" }.joined()
      }
    } catch {
      throw Silence(reason: error.reason)
    }
    guard answer.count == permissions.count else { throw Silence(reason: "tried as \(user.name): no answer") }
    for (permission, letter) in zip(permissions, answer) where permission.isExpected != (letter == "y") {
      let what = permission.way == O_RDONLY ? "read" : "write to"
      return "\(user.name) \(letter == "y" ? "can" : "cannot") \(what) \(permission.path)"
    }
    return nil
  }

  private static func mayOpen(_ permission: Permission) -> Bool {
    let descriptor = mb_open(permission.path, permission.way | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }

  fileprivate func sockets() -> Finding {
    for name in ["dovecot-lmtp", "auth"] {
      let path = "\(subject.queue)/private/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0 else { return .fail("\(path): \(errnoText())") }
      let mode = status.st_mode & 0o777
      let owner = userName(status.st_uid)
      guard mode == 0o600, owner == subject.postfixUser else {
        return .fail("\(path) has mode \(String(mode, radix: 8)) and belongs to \(owner)")
      }
    }
    return .pass("mode 600, \(subject.postfixUser)'s")
  }

  fileprivate func queue() throws(Silence) -> Finding {
    guard let vault = subject.vault else { return .skip("the settings have it outside the vault") }
    let said = try output(["/usr/sbin/postconf", "-h", "queue_directory"])
    let directory = said.split(separator: "\n").first.map(String.init) ?? ""
    guard directory == subject.queue else {
      return .fail("postfix's queue is in \(directory), not in \(subject.queue)")
    }
    guard let queue = fileStatus(directory + "/active"), let mount = fileStatus(vault) else {
      return .fail("\(directory)/active: \(errnoText())")
    }
    return queue.st_dev == mount.st_dev ? .pass(directory) : .fail("\(directory) is not in the file system of \(vault)")
  }
}
