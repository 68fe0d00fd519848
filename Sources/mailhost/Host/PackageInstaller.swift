import Glibc
import Linux
import MailHost

/// Installs Debian packages while no service may start: apt would open port 25 before anything is configured.
struct PackageInstaller {
  let root: HostRoot

  private static let policy = "/usr/sbin/policy-rc.d"
  private static let saved = "/usr/sbin/policy-rc.d.mailhost-saved"
  private static let mark = "# mailhost: no service starts while packages are installed.\n"

  func install(_ packages: [String]) throws(HostFailure) {
    try explained { () throws(SystemError) in try forbid() }
    var failure: HostFailure?
    do throws(HostFailure) {
      try apt(packages)
    } catch {
      failure = error
    }
    try explained { () throws(SystemError) in try allow() }
    if let failure { throw failure }
  }

  private func apt(_ packages: [String]) throws(HostFailure) {
    let environment = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"]
    let apt = environment + (root.isHere ? [] : ["/usr/sbin/chroot", root.prefix]) + ["/usr/bin/apt-get", "-q", "-y"]
    let install =
      apt + [
        "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef",
        "install",
      ] + packages
    if try run(install, seconds: 1800).status == 0 { return }
    // Its lists may be old, or not there yet.
    _ = try run(apt + ["update"], seconds: 600)
    let said = try run(install, seconds: 1800)
    guard said.status == 0 else {
      throw HostFailure(
        .failed, "apt could not install \(packages.joined(separator: ", "))", evidence: said.evidence,
        hint: "nothing else was changed; look at the network and at /etc/apt/sources.list, or install them "
          + "yourself: `apt-get install --no-install-recommends \(packages.joined(separator: " "))`")
    }
  }

  /// A policy of somebody else's is put aside meanwhile.
  private func forbid() throws(SystemError) {
    if let there = try root.read(Self.policy), !there.text.contains(Self.mark) {
      try root.write(Self.saved, there.bytes, there.attributes)
    }
    try root.write(
      Self.policy, Array("#!/bin/sh\n\(Self.mark)exit 101\n".utf8),
      Generation.Attributes(mode: 0o755, owner: "root", group: "root"))
  }

  /// Also what a killed run has left.
  func allow() throws(SystemError) {
    if let saved = try root.read(Self.saved) {
      try root.write(Self.policy, saved.bytes, saved.attributes)
      try root.remove(Self.saved)
    } else if let there = try root.read(Self.policy), there.text.contains(Self.mark) {
      try root.remove(Self.policy)
    }
  }
}
