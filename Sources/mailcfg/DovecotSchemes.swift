import Glibc
import MailAccounts
import MailbootCore

/// The scheme that new passwords are hashed by: that of `--scheme`, else that of the configuration. Dovecot must know it.
func chosenScheme(_ arguments: Arguments, _ host: inout Host) throws(Failure) -> PasswordScheme {
  let name: String
  if let given = arguments[.scheme] { name = given } else { name = try host.settings().accounts.scheme }
  guard let scheme = PasswordScheme(rawValue: name.uppercased()) else {
    let known = PasswordScheme.allCases.map(\.rawValue).joined(separator: ", ")
    throw .usage("there is no scheme \"\(name)\"", hint: "one of \(known)")
  }
  if let known = dovecotSchemes(), !known.contains(scheme.rawValue) {
    let usable = PasswordScheme.allCases.map(\.rawValue).filter(known.contains).joined(separator: ", ")
    throw .failed(
      "this host's dovecot does not know \(scheme.rawValue): the user could not log in",
      hint: "use --scheme, or `scheme` in [accounts], with one of \(usable)")
  }
  return scheme
}

/// What `doveadm pw -l` lists; nil where dovecot is not installed or does not say.
private func dovecotSchemes() -> Set<String>? {
  let program = "/usr/bin/doveadm"
  guard access(program, X_OK) == 0 else { return nil }
  guard let answer = ChildOutput([program, "pw", "-l"], errors: .dropped, seconds: 5), answer.status == 0 else {
    warn("`doveadm pw -l` does not say which password schemes dovecot knows; is its configuration sound?")
    return nil
  }
  let names = answer.bytes.split { $0 == 0x20 || $0 == 0x0A }.map { String(decoding: $0, as: UTF8.self) }
  return Set(names)
}
