import AgeFile
import ArgumentParser
import CLinux
import Console
import Glibc
import JSON
import Linux
import MailHost
import MailbootConfiguration
import Text

struct SnapshotVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Save accounts, keys, filters and settings in one encrypted file, while the host works.",
    discussion: """
      With a passphrase, asked for twice, or for public keys of age(1), with which no secret has to be on this host. In an emergency \
      `age -d FILE | tar x` opens it without mailhost. Of a directory FILE is a new file in it. Mail is not in it, nor what opens the \
      vault: `mailhost paths` says how these are saved.
      """)

  @OptionGroup var host: HostOptions

  @Option(help: ArgumentHelp("Encrypt it for this public key, age1…; several may be given.", valueName: "key"))
  var recipient: [String] = []

  @Flag(help: "Read the passphrase from standard input; one newline at its end is dropped.")
  var stdin = false

  @Flag(help: "Replace a snapshot that is there.")
  var replace = false

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Argument(help: ArgumentHelp("The file, a directory, or - for standard output.", valueName: "file"))
  var file: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("snapshot") }
    guard recipient.isEmpty || !stdin else {
      throw HostFailure(.usage, "--recipient and --stdin exclude each other: age takes a passphrase or keys")
    }
    keepOutOfDumps()
    let recipients = try recipients()
    let settings = try host.settings()
    let root = HostRoot(prefix: host.prefix)
    let places = SnapshotPlaces(
      settings, settingsFile: root.inside(host.config), mailbootFile: ConfigurationFiles.standardPath)
    try requireOpenVault(settings, root, places)
    let target = try target(settings)
    let lock: SnapshotLock =
      recipients.isEmpty
      ? .passphrase(try PassphraseQuestion(fromStandardInput: stdin).newPassphrase()) : .recipients(recipients)
    let busy = try HostLock(root, waiting: 300)
    defer { withExtendedLifetime(busy) {} }
    var collector = SnapshotCollector(settings, root, places) { tell("warning: " + visible($0)) }
    let snapshot = try collector.collect()
    let inspection = SnapshotInspection(snapshot)
    for problem in inspection.problems + inspection.notes {
      tell("warning: " + terminal.wrapped(visible(problem), indent: 2))
    }
    guard let target else {
      try SnapshotFile.write(snapshot, for: lock, to: 1, "standard output")
      return 0
    }
    let size = try target.write(snapshot, for: lock, replacing: replace)
    report(snapshot, inspection, target.path, size)
    if let vault = resolvedPath(root.path(settings.vault)), settings.vaultType != "none",
      resolvedPath(target.path)?.hasPrefix(vault + "/") == true
    {
      tell("warning: it lies in the vault, and is lost with what it saves: copy it elsewhere")
    }
    return 0
  }

  private func recipients() throws(HostFailure) -> [AgeRecipient] {
    var recipients: [AgeRecipient] = []
    for text in recipient {
      do throws(AgeError) {
        recipients.append(try AgeRecipient(text))
      } catch {
        throw HostFailure(
          .usage, "\(visibleInLine(text)) is no public key of age: \(error)",
          hint: "`age-keygen -o key.txt` on your own computer makes one; key.txt stays there")
      }
    }
    return recipients
  }

  /// Nil: standard output.
  private func target(_ settings: HostSettings) throws(HostFailure) -> SnapshotFile? {
    if file == "-" {
      guard isatty(1) == 0 else { throw HostFailure(.usage, "a snapshot is nothing for a terminal") }
      return nil
    }
    var path = file
    if let status = fileStatus(file), status.st_mode & S_IFMT == S_IFDIR {
      let moment = timestamp(Double(time(nil))).filter { $0 != "-" && $0 != ":" }
      path = "\(file.hasSuffix("/") ? file : file + "/")\(settings.hostName)-\(moment).age"
    }
    let target = SnapshotFile(path: path)
    try target.requireRoom(replacing: replace)
    return target
  }

  private func report(_ snapshot: Snapshot, _ inspection: SnapshotInspection, _ path: String, _ size: Int) {
    switch format {
    case .json:
      say(SnapshotText.json(snapshot, inspection, [("file", .string(path)), ("bytes", .integer(Int64(size)))]))
    case .text:
      let page = Terminal(descriptor: 1)
      say(visible("wrote \(path), \(max(1, size >> 10)) KiB"))
      for line in SnapshotText.lines(inspection) { say(visible(line)) }
      say(page.wrapped("not in it: mail, certificates, what opens the vault (`mailhost paths`)", indent: 2))
      say(
        page.wrapped(
          "Copy it off this host; `mailhost verify-snapshot \(shellWord(path))` looks whether it is whole.", indent: 2))
    }
  }
}

/// What is in a closed vault can neither be saved nor replaced.
func requireOpenVault(
  _ settings: HostSettings, _ root: HostRoot, _ places: SnapshotPlaces, of parts: Set<SnapshotPart>? = nil,
  hint: String = ""
) throws(HostFailure) {
  let hidden = places.places.filter {
    (parts?.contains($0.part) ?? true) && settings.isInVault($0.path)
  }
  guard let first = hidden.first, !Vault(settings: settings, root: root).isOpen else { return }
  throw HostFailure(
    .locked, "\(first.path) is in the vault, and the vault is locked",
    hint: "`mailboot` unlocks it; then once more\(hint)")
}
