import Glibc
import Linux
import MailHost

/// Lets the daemons' own tools read the new files before they are the host's. They find mistakes of writing; what they do not find
/// (all three say yes to much that is wrong) the test finds afterwards.
struct Validator {
  let settings: HostSettings
  let root: HostRoot

  /// - Parameters:
  ///   - texts: what is to be written, by its path.
  ///   - present: what is there now; of it what stays is looked at, too.
  func validate(_ texts: [String: [UInt8]], beside present: [String: HostRoot.Stored]) throws(HostFailure) {
    guard root.isHere else { return }
    try Self.inCopy(of: texts, beside: present) { (place) throws(HostFailure) in
      try Self.postfix(
        place, hint: "nothing was changed; lines of your own are in [postfix] of /etc/mailboot/mailhost.toml")
      try dovecot(place)
      if settings.spamFilter { try rspamd(place) }
    }
  }

  /// - Parameter look: gets a directory that has the files, below it, for as long as it looks.
  static func inCopy(
    of texts: [String: [UInt8]], beside present: [String: HostRoot.Stored], look: (String) throws(HostFailure) -> Void
  ) throws(HostFailure) {
    var name = Array("/run/mailhost-validate-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw HostFailure(.failed, "/run: \(errnoText())") }
    let place = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { _ = try? run(["/bin/rm", "-rf", "--one-file-system", "--", place]) }
    let copy = HostRoot(prefix: place)
    let plain = Generation.Attributes(mode: 0o644, owner: "0", group: "0")
    for (path, bytes) in present.mapValues(\.bytes).merging(texts, uniquingKeysWith: { $1 }) {
      try explained { () throws(SystemError) in try copy.write(path, bytes, plain) }
    }
    try look(place)
  }

  static func postfix(_ place: String, hint: String) throws(HostFailure) {
    for arguments in [["-n"], ["-M"], ["-P"]] {
      let said = try run(["/usr/sbin/postconf", "-c", "\(place)/etc/postfix"] + arguments)
      // It warns of what it does not know, and ends well.
      let complaints = said.errors.split(separator: "\n").filter {
        $0.contains("unused parameter") || $0.contains("fatal")
      }
      guard said.status == 0, complaints.isEmpty else {
        throw HostFailure(
          .failed, "postfix does not take its new configuration", evidence: said.evidence,
          hint: hint)
      }
    }
  }

  private func dovecot(_ place: String) throws(HostFailure) {
    let said = try run(["/usr/bin/doveconf", "-c", "\(place)/etc/dovecot/dovecot.conf", "-n"])
    guard said.status == 0 else {
      throw HostFailure(
        .failed, "dovecot does not take its new configuration", evidence: said.evidence,
        hint: "nothing was changed; lines of your own are in the file that [dovecot] extra names")
    }
  }

  private func rspamd(_ place: String) throws(HostFailure) {
    let said = try run([
      "/usr/bin/rspamadm", "--var=LOCAL_CONFDIR=\(place)/etc/rspamd", "configtest", "--quiet", "--config",
      "/etc/rspamd/rspamd.conf",
    ])
    guard said.status == 0 else {
      throw HostFailure(
        .failed, "rspamd does not take its new configuration", evidence: said.evidence,
        hint: "nothing was changed; lines of your own are in /etc/rspamd/override.d")
    }
  }
}
