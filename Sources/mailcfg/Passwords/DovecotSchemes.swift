import Glibc
import Linux
import MailAccounts
import MailbootCore

/// The scheme that new passwords are hashed by. Dovecot must know it.
/// - Parameter given: that of `--scheme`; nil: that of the configuration.
func chosenScheme(_ given: PasswordScheme?, _ host: inout Host) throws(Failure) -> PasswordScheme {
  let scheme: PasswordScheme
  if let given { scheme = given } else { scheme = try configuredScheme(&host) }
  if let known = dovecotSchemes(), !known.contains(scheme.rawValue) {
    let usable = PasswordScheme.allCases.map(\.rawValue).filter(known.contains).joined(separator: ", ")
    throw .failed(
      "this host's dovecot does not know \(scheme.rawValue): the user could not log in",
      hint: "use --scheme, or `scheme` in [accounts], with one of \(usable)")
  }
  return scheme
}

private func configuredScheme(_ host: inout Host) throws(Failure) -> PasswordScheme {
  let name = try host.settings().accounts.scheme
  guard let scheme = PasswordScheme(argument: name) else {
    let known = PasswordScheme.allCases.map(\.rawValue).joined(separator: ", ")
    throw .usage("there is no scheme \"\(name)\"", hint: "one of \(known)")
  }
  return scheme
}

/// What `doveadm pw -l` lists; nil where dovecot is not installed or does not say.
private func dovecotSchemes() -> Set<String>? {
  let program = "/usr/bin/doveadm"
  guard access(program, X_OK) == 0 else { return nil }
  guard let child = try? ChildProcess([program, "pw", "-l"], errors: .dropped),
    child.wait(until: monotonicSeconds() + 5) == .exited(0)
  else {
    warn("`doveadm pw -l` does not say which password schemes dovecot knows; is its configuration sound?")
    return nil
  }
  let names = child.output.split { $0 == 0x20 || $0 == 0x0A }.map { String(decoding: $0, as: UTF8.self) }
  return Set(names)
}
