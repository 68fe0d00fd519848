import Glibc
import Linux
import MailbootCore

/// The services' own configuration tests.
extension HostChecker {
  /// Silent and zero is sound.
  func tool(_ kind: FindingKind, _ arguments: [String], good: String) throws(Failure) -> CheckTask.Next {
    let check = kind.check
    let command = arguments.joined(separator: " ").split(separator: "/").last.map(String.init) ?? arguments[0]
    guard access(arguments[0], X_OK) == 0 else {
      let wanted = configuration.services.contains { $0.name.hasPrefix(check.rawValue) }
      return .findings([
        wanted
          ? Finding(kind, "\(arguments[0]) is missing", hint: "is \(check.rawValue) installed?")
          : Finding(inapplicable: check, "no \(check.rawValue) here")
      ])
    }
    // The door waits for the longest one of them, `postfix check`, while everything else that starts wants the processors too.
    return .child(try startChild(arguments, urgent: check == .postfix)) { child in
      if child.end == .exited(0) {
        if check == .postfix { facts.postfixChecked = true }
        return .findings([Finding(sound: check, good)])
      }
      let said = child.errorOutput + "\n" + String(decoding: child.output, as: UTF8.self)
      // The first line is the reason, what follows its consequences.
      let reason = said.split(separator: "\n").first { $0.contains { $0 != " " } } ?? "no reason given"
      return .findings([
        Finding(
          kind, "\(command): " + printable(reason.prefix(300)),
          hint: "run `\(command)` and correct what it complains about")
      ])
    }
  }
}
