import Glibc
import Linux
import MailHost

extension RunningHost {
  /// Asks the programs of this host.
  /// - Throws: when postfix or dovecot is not there or cannot read its own configuration.
  static func here() throws(HostFailure) -> RunningHost {
    guard geteuid() == 0 else {
      throw HostFailure(.notPermitted, "the configuration of the services can be read by root only")
    }
    var host = RunningHost()
    host.main = try output(of: ["/usr/sbin/postconf", "-n"])
    host.effective = try output(of: ["/usr/sbin/postconf", "-x"] + asked)
    host.defaults = try output(of: ["/usr/sbin/postconf", "-d"])
    host.master = try output(of: ["/usr/sbin/postconf", "-M"])
    host.dovecot = try output(of: ["/usr/bin/doveconf", "-n"])
    for path in files + tables(host.effective) {
      if let text = readSmallText(path) { host.texts.append((path, text)) }
    }
    for file in ["/proc/self/mounts", "/etc/fstab"] {
      for line in (readSmallText(file) ?? "").split(separator: "\n") where !line.hasPrefix("#") {
        let words = line.split { $0 == " " || $0 == "\t" }
        if words.count > 1 { host.mountPoints.insert(String(words[1])) }
      }
    }
    return host
  }

  /// What a program prints of its configuration.
  private static func output(of call: [String]) throws(HostFailure) -> String {
    guard fileStatus(call[0]) != nil else {
      throw HostFailure(
        .failed, "\(call[0]) is not there, and so nothing can be found out of it",
        hint: "`mailhost adopt --from DIRECTORY` reads the variables of the Ansible role instead")
    }
    return try succeed(call, hint: "mend what it says first: only a configuration that works can be taken over").output
  }
}
