import CLinux
import Console
import Glibc
import Linux
import MailHost
import Text

/// Does the steps of `apply` on a host.
struct HostApplier: ApplyPorts {
  typealias Fault = HostFailure

  let settings: HostSettings
  let facts: HostFacts
  let root: HostRoot
  let files: [RenderedFile]
  let observation: HostObserver.Observation
  let generation: Generation
  /// What the generation's files hold, where they are not rendered from the settings: of a rollback.
  let texts: [String: [UInt8]]
  let report: (String) -> Void
  /// Whose daemon ran before anything was changed.
  private var wereActive: Set<HostFile.Reader> = []
  /// Tests the host, and says what failed.
  let prove: () throws(HostFailure) -> Void

  init(
    _ work: HostWork, _ observation: HostObserver.Observation, _ generation: Generation, texts: [String: [UInt8]],
    report: @escaping (String) -> Void, prove: @escaping () throws(HostFailure) -> Void
  ) {
    settings = work.settings
    facts = work.facts
    root = work.root
    files = work.files
    self.observation = observation
    self.generation = generation
    self.texts = texts
    self.report = report
    self.prove = prove
  }

  private var store: GenerationStore { GenerationStore(root: root) }
  private var services: Services { Services(redisName: facts.versions.redisName) }

  mutating func perform(_ step: ApplyStep) throws(HostFailure) {
    StopPoint.reached(step.description)
    switch step {
    case .install(let packages): try PackageInstaller(root: root).install(packages)
    case .makeGroup(let name): try makeGroup(name)
    case .makeUser(let name): try makeUser(name)
    case .stage: try stage()
    case .validate: try Validator(settings: settings, root: root).validate(texts, beside: observation.present)
    case .begin: try begin()
    case .write(let path): try write(path)
    case .remove(let path): try explained { () throws(SystemError) in try root.remove(path) }
    case .reloadManager: try services.reloadManager()
    case .enable(let unit): try services.enable(unit)
    case .installGuard: try succeed(["/usr/sbin/mailboot", "guard", "install"], seconds: 120)
    case .tell(.postfix):
      try compileAliases()
      try services.tell(.postfix, anew: needsRestart(.postfix))
    case .tell(let reader): try services.tell(reader, anew: needsRestart(reader))
    case .fillVault: try fillVault()
    case .bringUp: try bringUp()
    case .prove: try prove()
    case .commit: try commit()
    }
  }

  private mutating func begin() throws(HostFailure) {
    if managesServices {
      for reader in HostFile.Reader.allCases {
        if let unit = services.unit(reader), try services.isActive(unit) { wereActive.insert(reader) }
      }
    }
    try explained { () throws(SystemError) in try store.begin(generation.number) }
  }

  private var managesServices: Bool { settings.manage.services && root.isHere && Services.isThere }

  mutating func takeBack() throws(HostFailure) {
    StopPoint.reached("take back")
    try explained { () throws(SystemError) in try store.takeBack(generation.number) }
    guard managesServices else { return }
    try services.reloadManager()
    var failure: HostFailure?
    // One that does not take its old files is no reason to leave the others with the new ones.
    for reader in HostFile.Reader.doorLast where observation.readers.contains(reader) {
      do throws(HostFailure) {
        if wereActive.contains(reader) {
          try services.tell(reader, anew: needsRestart(reader), evenIfDown: true)
        } else {
          // It was started for the new files, and has none to work with now.
          try services.stop(reader)
        }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private func makeGroup(_ name: String) throws(HostFailure) {
    try succeed(chrooted(["/usr/sbin/groupadd"] + free(5000, root.users.groupName) + [name]))
  }

  private func makeUser(_ name: String) throws(HostFailure) {
    try succeed(
      chrooted(
        ["/usr/sbin/useradd"] + free(5000, root.users.name).map { $0 == "--gid" ? "--uid" : $0 } + [
          "--gid", "vmail", "--home-dir", settings.spool, "--no-create-home", "--shell", "/usr/sbin/nologin", name,
        ]))
  }

  /// The number that hosts of this kind have, if nobody else has it.
  private func free(_ number: UInt32, _ name: (UInt32) -> String) -> [String] {
    name(number) == String(number) ? ["--gid", String(number)] : ["--system"]
  }

  private func chrooted(_ command: [String]) -> [String] {
    root.isHere ? command : ["/usr/sbin/chroot", root.prefix] + command
  }

  private func stage() throws(HostFailure) {
    var before: [String: [UInt8]] = [:]
    for (path, stored) in observation.present { before[path] = stored.bytes }
    try explained { () throws(SystemError) in try store.stage(generation, files: texts, before: before) }
  }

  private func write(_ path: String) throws(HostFailure) {
    guard let entry = generation.entries.first(where: { $0.path == path }), let attributes = entry.present,
      let bytes = texts[path]
    else { throw HostFailure(.failed, "\(path) is not part of generation \(generation.number)") }
    try explained { () throws(SystemError) in try root.write(path, bytes, attributes) }
  }

  /// Aliases of the system are the one table that is compiled. Not by newaliases, which wants the queue to be there.
  private func compileAliases() throws(HostFailure) {
    let (source, compiled) = (fileStatus("/etc/aliases"), fileStatus("/etc/aliases.db"))
    if source == nil {
      try explained { () throws(SystemError) in
        try root.write(
          "/etc/aliases", Array("postmaster: root\n".utf8),
          Generation.Attributes(mode: 0o644, owner: "root", group: "root"))
      }
    } else if let source, let compiled, source.st_mtim.tv_sec <= compiled.st_mtim.tv_sec {
      return
    }
    try succeed(["/usr/sbin/postalias", "hash:/etc/aliases"])
  }

  /// Whether a reload does not reach what changes: listeners, the queue's place, another dialect.
  private func needsRestart(_ reader: HostFile.Reader) -> Bool {
    switch reader {
    case .postfix:
      return ["/etc/postfix/main.cf", "/etc/postfix/master.cf"].contains { path in
        lines(path, ["inet_", "queue_directory", "smtp ", "submission", "127.0.0.1:"])
      }
    case .dovecot:
      return lines(
        "/etc/dovecot/dovecot.conf",
        ["dovecot_config_version", "listen", "  inet_listener", "    port", "  unix_listener"])
    case .redis: return true
    case .rspamd, .mailboot, .fail2ban, .nobody: return false
    }
  }

  /// Whether lines that begin so are others before and after.
  private func lines(_ path: String, _ beginnings: [String]) -> Bool {
    func chosen(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { line in beginnings.contains { line.hasPrefix($0) } }
    }
    let before = observation.present[path]?.text ?? ""
    let after = texts[path].map { String(decoding: $0, as: UTF8.self) } ?? ""
    return chosen(before) != chosen(after)
  }

  private func fillVault() throws(HostFailure) {
    try VaultContents(
      settings: settings, facts: facts, root: root, files: files, decisions: observation.decisions, report: report
    ).fill()
  }

  private func bringUp() throws(HostFailure) {
    guard fileStatus("/usr/sbin/mailboot") != nil else { return }
    let said = try run(["/usr/sbin/mailboot", "unlock"], seconds: 300)
    guard said.status == 0 else {
      throw HostFailure(
        .failed, "the services did not come up", evidence: said.evidence, hint: "`mailboot status` says which, and why")
    }
  }

  private func commit() throws(HostFailure) {
    try explained { () throws(SystemError) in
      try store.setWaiting(!observation.isOpen)
      try store.commit(generation.number)
    }
    if managesServices, settings.countsSending { try startTelling() }
  }

  /// Its condition, that there are settings, was looked at when the host was started.
  private func startTelling() throws(HostFailure) {
    let timer = "mailhost-limits.timer"
    let said = try run(["/usr/bin/systemctl", "start", timer])
    if said.status != 0 { report("note: \(timer) does not start: \(said.evidence.last ?? "")") }
  }
}

/// Where a test wants this program to end as if it had been killed: `MAILHOST_STOP=N`, before the Nth step. In debug builds only.
enum StopPoint {
  static func reached(_ name: String) {
    #if DEBUG
      guard let text = getenv("MAILHOST_STOP"), let number = Int(String(cString: text)) else { return }
      if number <= 1 { kill(getpid(), SIGKILL) }
      setenv("MAILHOST_STOP", String(number - 1), 1)
    #endif
  }
}
