import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// How each check is made on this machine.
struct HostChecker {
  let configuration: Configuration
  let kind: any VaultKind
  let worker: Worker
  let facts: CheckFacts
  /// Whether an interrupted change of the database may be rolled back: `unlock` may, `verify` changes nothing.
  let mayRollBack: Bool

  private var verify: Configuration.Verify { configuration.verify }

  func begin(_ group: CheckGroup, deadline: Double) -> CheckTask {
    CheckTask(group, deadline: deadline) { () throws(Failure) -> CheckTask.Next in
      switch group {
      case .mount: .findings([mount()])
      case .freeSpace: .findings([freeSpace()])
      case .database: try database()
      case .dkim: try dkim()
      case .certificate: try certificate()
      case .postfix: try tool(.postfix, ["/usr/sbin/postfix", "check"], good: "postfix check ends without an error")
      case .dovecot: try tool(.dovecot, ["/usr/bin/doveconf", "-n"], good: "doveconf reads its configuration")
      case .rspamd: try tool(.rspamd, ["/usr/bin/rspamadm", "configtest"], good: "rspamadm configtest passes")
      case .maps: try maps()
      }
    }
  }

  /// How postfix may start, now that its checks have passed; nil when they have not.
  var quickStart: PostfixQuickStart? {
    guard facts.postfixChecked, let queue = facts.postfix?["queue_directory"], queue.hasPrefix("/") else { return nil }
    return PostfixQuickStart(queueDirectory: queue)
  }

  private func mount() -> Finding {
    let path = configuration.vault.mount
    let observation: Observation
    do throws(Failure) {
      observation = try Observer(configuration, kind: kind).storage()
    } catch {
      return Finding(.mount, sound: false, detail: error.summary)
    }
    if case .broken(let why) = observation.opening { return Finding(.mount, sound: false, detail: why) }
    guard let mounted = observation.mount else {
      return Finding(.mount, sound: false, detail: "nothing is mounted on \(path)")
    }
    guard observation.vaultMounted else {
      return Finding(.mount, sound: false, detail: "\(path) holds \(mounted.source), not the vault")
    }
    let entry = MountTable.current()?.mount(on: path)
    if let root = entry?.root, root != "/", observation.opening.vault?.device != nil {
      return Finding(.mount, sound: false, detail: "\(path) holds only the directory \(root) of the vault")
    }
    if let flaw = observation.opening.vault?.flaws.first { return Finding(.mount, sound: false, detail: flaw) }
    if mounted.isReadOnly || entry?.isReadOnly ?? false, !configuration.vault.options.contains("ro") {
      return Finding(
        .mount, sound: false, detail: "\(path) is mounted read-only",
        hint: "after an error the kernel does that: see `journalctl -b -k | tail`, then unmount it and run fsck")
    }
    return Finding(.mount, sound: true, detail: "\(mounted.source) on \(path), \(mounted.filesystem)")
  }

  private func freeSpace() -> Finding {
    let path = configuration.vault.mount
    let space: statvfs
    switch SpaceQuestion(path).answer() {
    case .space(let answer) where answer.f_blocks > 0: space = answer
    case .space: return Finding(.freeSpace, sound: false, detail: "\(path) has no size")
    case .failed(let code): return Finding(.freeSpace, sound: false, detail: "\(path): \(errnoText(code))")
    case .silent: return Finding(.freeSpace, sound: false, detail: "\(path) does not answer")
    }
    let percent = Int(space.f_bavail * 100 / space.f_blocks)
    let amount = Self.size(UInt64(space.f_bavail) * UInt64(space.f_frsize))
    // Small mails fill inodes before bytes.
    let inodes = space.f_files > 0 ? Int(space.f_favail * 100 / space.f_files) : 100
    if inodes < verify.freeSpacePercent && inodes < percent {
      return Finding(
        .freeSpace, sound: false, detail: "\(inodes) % of the inodes free on \(path)",
        hint: "many small files fill it: see `du --inodes -x -d2 \(path)`")
    }
    return Finding(
      .freeSpace, sound: percent >= verify.freeSpacePercent, detail: "\(percent) % (\(amount)) free on \(path)",
      hint: percent >= verify.freeSpacePercent ? nil : "see what fills it: `du -xh -d2 \(path) | sort -h | tail`")
  }

  /// A size with a binary unit, as `df -h` has it.
  static func size(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = 0
    let names = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 && unit < names.count - 1 {
      value /= 1024
      unit += 1
    }
    return decimal(value, places: unit == 0 || value >= 100 ? 0 : 1) + " " + names[unit]
  }

  private func database() throws(Failure) -> CheckTask.Next {
    try readDatabase { reply in .findings([reply.finding]) }
  }

  /// Goes on with what the database holds, read once per run.
  private func readDatabase(_ then: @escaping (DatabaseReply) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    if let known = facts.database { return try then(known) }
    let request = DatabaseRequest(
      path: verify.database, owner: "root", group: configuration.accounts.owner, rollBackInterrupted: mayRollBack)
    return .child(try worker.begin(.database, request)) { child throws(Failure) in
      let reply = try worker.reply(DatabaseReply.self, of: child)
      facts.database = reply
      return try then(reply)
    }
  }

  private func dkim() throws(Failure) -> CheckTask.Next {
    try readDatabase { database throws(Failure) in
      // Without the domains nobody can say which keys there must be.
      guard database.finding.sound || !database.domains.isEmpty else {
        return .findings(
          verify.severity(of: .database) == .require
            ? [] : [Finding(.dkim, sound: false, detail: "the domains are not known: \(database.finding.detail)")])
      }
      let request = DKIMRequest(
        directory: verify.dkimDirectory, selector: verify.dkimSelector, domains: database.domains, user: verify.dkimUser
      )
      return .child(try worker.begin(.dkim, request)) { child throws(Failure) in
        .findings(try worker.reply(FindingsReply.self, of: child).findings)
      }
    }
  }

  private func certificate() throws(Failure) -> CheckTask.Next {
    if let file = verify.certificate, let key = verify.certificateKey, let host = verify.hostName {
      return try certificate(CertificateRequest(certificate: file, key: key, hostName: host))
    }
    return try postconf { settings throws(Failure) in
      let file = verify.certificate ?? settings["smtpd_tls_cert_file"]
      guard let file, file != "none" else {
        return .findings([
          Finding(
            .certificate, sound: false, detail: "postfix has no smtpd_tls_cert_file",
            hint: "set it in main.cf, or `certificate` and `certificate-key` in [verify]")
        ])
      }
      // Postfix takes an empty key file for "in the certificate's file".
      let key = verify.certificateKey ?? settings["smtpd_tls_key_file"] ?? file
      return try certificate(
        CertificateRequest(certificate: file, key: key, hostName: verify.hostName ?? settings["myhostname"]))
    }
  }

  private func certificate(_ request: CertificateRequest) throws(Failure) -> CheckTask.Next {
    .child(try worker.begin(.certificate, request)) { child throws(Failure) in
      .findings(try worker.reply(FindingsReply.self, of: child).findings)
    }
  }

  /// Goes on with postfix's settings, asked for once per run. Without postfix there are none.
  private func postconf(_ then: @escaping (PostfixSettings) throws(Failure) -> CheckTask.Next) throws(Failure)
    -> CheckTask.Next
  {
    if let known = facts.postfix { return try then(known) }
    guard access(PostfixSettings.arguments[0], X_OK) == 0 else { return .findings([]) }
    return .child(try startChild(PostfixSettings.arguments)) { child throws(Failure) in
      guard child.end == .exited(0) else { throw .system(Worker.complaint(child)) }
      let settings = PostfixSettings(parsing: String(decoding: child.output, as: UTF8.self))
      facts.postfix = settings
      return try then(settings)
    }
  }

  /// A service's own configuration test: silent and zero is sound.
  private func tool(_ check: CheckName, _ arguments: [String], good: String) throws(Failure) -> CheckTask.Next {
    let command = arguments.joined(separator: " ").split(separator: "/").last.map(String.init) ?? arguments[0]
    guard access(arguments[0], X_OK) == 0 else {
      let wanted = configuration.services.contains { $0.name.hasPrefix(check.rawValue) }
      return .findings(
        wanted
          ? [
            Finding(check, sound: false, detail: "\(arguments[0]) is missing", hint: "is \(check.rawValue) installed?")
          ] : [])
    }
    // The door waits for the longest one of them, `postfix check`, while everything else that starts wants the processors too.
    return .child(try startChild(arguments, urgent: check == .postfix)) { child in
      if child.end == .exited(0) {
        if check == .postfix { facts.postfixChecked = true }
        return .findings([Finding(check, sound: true, detail: good)])
      }
      let said = child.errorOutput + "\n" + String(decoding: child.output, as: UTF8.self)
      // The first line is the reason, what follows its consequences.
      let reason = said.split(separator: "\n").first { $0.contains { $0 != " " } } ?? "no reason given"
      return .findings([
        Finding(
          check, sound: false, detail: "\(command): " + printable(reason.prefix(300)),
          hint: "run `\(command)` and correct what it complains about")
      ])
    }
  }

  private func maps() throws(Failure) -> CheckTask.Next {
    try readDatabase { database throws(Failure) in
      try postconf { settings throws(Failure) in
        try ask(settings.maps[...], asked: 0, database: database)
      }
    }
  }

  /// Asks the first map, then the rest.
  private func ask(_ maps: ArraySlice<(table: String, parameter: String)>, asked: Int, database: DatabaseReply)
    throws(Failure) -> CheckTask.Next
  {
    guard let map = maps.first else {
      return .findings([Finding(.maps, sound: true, detail: "\(asked) \(asked == 1 ? "map answers" : "maps answer")")])
    }
    let (key, mustBeThere) = key(for: map.parameter, database)
    let child = try startChild(["/usr/sbin/postmap", "-q", key, map.table])
    return .child(child) { child throws(Failure) in
      // Status 1 is both "not there" and "fatal": only the complaint tells them apart.
      let complaint = child.errorOutput.split(separator: "\n").first.map { printable($0.prefix(300)) }
      let isSQLite = map.table.hasPrefix("sqlite:")
      if let complaint, child.end != .exited(0) {
        return .findings([
          Finding(
            .maps, sound: false, detail: "\(map.table): \(complaint)",
            hint: "ask it yourself: `postmap -q \(key) \(map.table)`")
        ])
      }
      if child.end != .exited(0), mustBeThere, isSQLite {
        return .findings([
          Finding(
            .maps, sound: false, detail: "\(map.table) (\(map.parameter)) does not know \(key), which the database has",
            hint: "compare its query with the database: `postmap -q \(key) \(map.table)`")
        ])
      }
      return try ask(maps.dropFirst(), asked: asked + 1, database: database)
    }
  }

  /// What to ask a map for, and whether it has to know it.
  private func key(for parameter: String, _ database: DatabaseReply) -> (String, Bool) {
    switch parameter {
    case "virtual_mailbox_domains":
      if let domain = database.domains.first { return (domain, true) }
    case "virtual_alias_maps":
      if let alias = database.sampleAlias { return (alias, true) }
    default:
      if let user = database.sampleUser { return (user, true) }
    }
    return ("postmaster@invalid", false)
  }
}

/// Without control characters, for showing on a terminal.
func printable(_ text: some StringProtocol) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}
