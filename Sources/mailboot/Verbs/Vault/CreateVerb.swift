import ArgumentParser
import Console
import Linux
import MailbootConfiguration
import MailbootCore
import MailbootHost
import SecretMemory
import Text

struct CreateVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a new vault: on a partition, in a file, or as an encrypted directory.",
    discussion: """
      On DEVICE, a partition, disk or logical volume, whose contents are lost; without one in a file of --size; or with --type \
      gocryptfs as a directory. Shows first what is there. Until its end nothing is configured: an interrupted one begins anew.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @OptionGroup var new: NewKeyOptions
  @Argument(help: ArgumentHelp("The partition, disk or logical volume.", valueName: "device"))
  var device: String?
  @Option(help: ArgumentHelp("In this file (default: \(CreateVerb.standardFile)).", valueName: "path"))
  var file: String?
  @Option(help: ArgumentHelp("How large the file is to be, such as 10G; the room is taken at once.", valueName: "size"))
  var size: String?
  @Option(help: "luks or gocryptfs.")
  var type = VaultType.luks
  @Option(help: ArgumentHelp("With gocryptfs: this directory (default: /vault_crypt).", valueName: "path"))
  var directory: String?
  @Option(help: "ext4, xfs or btrfs.")
  var filesystem = "ext4"
  @Option(help: ArgumentHelp("Of the volume and its file system (default: vault).", valueName: "text"))
  var label: String?
  @OptionGroup var cost: CostOptions
  @Flag(
    help:
      "Give each sector a checksum, so that what the disk has changed is noticed. Takes long to make, and halves the speed."
  )
  var integrity = false
  @Option(help: ArgumentHelp("Where it is to be mounted (default: /vault).", valueName: "path"))
  var mount: String?
  @Option(help: ArgumentHelp("Its name below /dev/mapper (default: vault-blk).", valueName: "name"))
  var mapping: String?
  @Option(help: ArgumentHelp("One more vault, of this name.", valueName: "name"))
  var name: String?
  @Flag(help: "The one to move to, by `mailboot vault move`.")
  var next = false
  @Flag(
    inversion: .prefixedNo, help: "Make a recovery key, too, and show it once (default: asks at a terminal).")
  var recoveryKey: Bool?
  @Flag(help: "What is on the device may be lost. Without it the device's name must be typed at a terminal.")
  var erase = false

  static let standardFile = "/var/lib/mailboot/vault.luks"

  func validate() throws {
    if [device != nil, file != nil, directory != nil].count(where: { $0 }) > 1 {
      throw ValidationError("only one of DEVICE, --file and --directory can be given")
    }
    if type == .plain { throw ValidationError("--type takes luks or gocryptfs") }
    if type == .luks, directory != nil { throw ValidationError("--directory goes with --type gocryptfs") }
    if type == .gocryptfs, device != nil || file != nil || size != nil {
      throw ValidationError("a vault of gocryptfs is a directory: --directory PATH")
    }
    if device != nil, size != nil { throw ValidationError("--size goes with --file; a device is taken whole") }
    if next && name != nil { throw ValidationError("--next and --name do not go together") }
    if !NewVault.filesystems.contains(filesystem) { throw ValidationError("--filesystem takes ext4, xfs or btrfs") }
    if let size, ByteCount.parse(size) == nil { throw ValidationError("--size takes a size such as 10G") }
    if recoveryKey == true, type != .luks { throw ValidationError("gocryptfs has one passphrase, and no recovery key") }
    if let label, label.utf8.count > 47 || label.isEmpty { throw ValidationError("--label takes 1 to 47 bytes") }
    if let name, !(1...32).contains(name.utf8.count) || !name.utf8.allSatisfy(Self.isPlain) || name.hasPrefix("-") {
      throw ValidationError("--name takes a-z, 0-9 and -, up to 32 of them")
    }
    if let mount, !mount.hasPrefix("/") || mount == "/" { throw ValidationError("--mount takes an absolute path") }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x2D
  }

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if let named = target.vault {
      throw .usage("--vault \(named) names a vault that is there", hint: "one more is made with `--name NAME`")
    }
    let vault = try newVault(work)
    let lines = ProgressLines(terminal)
    let path = target.common.config ?? ConfigurationFiles.standardPath
    let creation = VaultCreation(work, vault, configuration: path) { text, seconds in
      lines.done(text, seconds)
    }
    creation.progress = { lines.show(done: $0, of: $1) }
    creation.kept = MoveVerb.kept(MovePaths(main: target.common.config))
    let ground = try work.alone(Self.words) { () throws(Failure) in try creation.look() }
    try refuseBadConfiguration(vault)
    switch ground {
    case .empty: tell(visible("\(vault.subject): nothing is there"))
    case .unfinished:
      tell(
        visible("\(vault.subject): an earlier `vault create` was interrupted before anything was in it; it begins anew")
      )
    case .whole:
      tell(visible("\(vault.subject): a vault that was made already, and is not configured yet"))
      saveHeader(try enter(creation, ground, work))
      return sayWhatComesNext()
    case .contents(let contents):
      for line in contents { tell(visible("  " + line)) }
      try confirmErasing(vault.subject)
    }
    let passphrase = try VaultSecrets(key, new: new, work.reactor).new("Passphrase of the new vault: ")
    if passphrase.isEmpty { throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false) }
    try work.alone(Self.words) { () throws(Failure) in
      // Somebody may have put it to use while the question stood.
      guard try creation.look() == ground else {
        throw .usage("\(vault.subject) has changed while the question stood", hint: "try again")
      }
      try creation.make(passphrase)
    }
    lines.clear()
    let made = try enter(creation, ground, work)
    if type == .luks { try offerRecoveryKey(made, passphrase) }
    saveHeader(made)
    sayWhatComesNext()
  }

  /// What is to be written at the end must fit in with the other files: else nothing on this host could be opened any more.
  private func refuseBadConfiguration(_ vault: NewVault) throws(Failure) {
    let main = target.common.config ?? ConfigurationFiles.standardPath
    let place = name.map { "\(main).d/50-vault-\($0).toml" } ?? MovePaths(main: target.common.config).current
    let text = vault.configuration(device: vault.subject)
    do {
      _ = try target.settings(with: Array(text.utf8), named: place, at: place)
    } catch {
      guard let issue = error.issues.first else { throw .configuration(error) }
      throw .usage(
        "the vault would not fit in with the configuration: \(issue.key) \(issue.message)",
        hint: "give it another `--name`, `--mount`, `--mapping` or place")
    }
  }

  /// Writes the configuration, and reads it back: beside the other files it must say what it is to say.
  private func enter(_ creation: VaultCreation, _ ground: VaultGround, _ work: VaultWork) throws(Failure) -> VaultWork {
    try work.alone(Self.words) { () throws(Failure) in try creation.enter(ground) }
    let settings: Configuration
    do {
      if next {
        let file = try MergedTOML(creation.configurationFile, required: true)
        settings =
          try file.root.map { root throws(ConfigurationError) in try Configuration(decoding: root) } ?? Configuration()
      } else {
        let all = try ConfigurationFiles(path: target.common.config).configuration
        settings = name.flatMap { all.selecting(vault: $0) } ?? all
      }
    } catch let error as ConfigurationError {
      throw .configuration(error)
    } catch let error as Failure {
      throw error
    } catch {
      throw .system("\(error)")
    }
    return try VaultWork(configuration: completed(settings), reactor: work.reactor, note: work.note)
  }

  private func offerRecoveryKey(_ made: VaultWork, _ passphrase: borrowing SecretBytes) throws(Failure) {
    let isWanted: Bool
    if let recoveryKey {
      isWanted = recoveryKey
    } else if case .yes = confirmation(of: "A recovery key, too, to be printed and locked away?") {
      isWanted = true
    } else {
      isWanted = false
    }
    guard isWanted else {
      return tell("no recovery key; at any time: `mailboot vault enroll recovery`")
    }
    try makeRecoveryKey(openedBy: passphrase, made, qr: nil)
  }

  /// The vault is made, whatever becomes of this.
  private func saveHeader(_ made: VaultWork) {
    let saved: String
    do throws(Failure) {
      saved = try type == .gocryptfs ? made.backUpGocryptfs(to: nil) : made.backUpHeader(to: nil).path
    } catch {
      return tell(visible("warning: its header could not be saved: \(error.summary)"))
    }
    tell(visible("what holds its keys is saved in \(saved)"))
    tell("hint: copy that file to another machine: when the disk loses it, nothing else opens the vault")
  }

  private func sayWhatComesNext() {
    if next { return say("made; move to it: `mailboot vault move`") }
    let hasHost = fileStatus(mailHostSettingsPath) != nil
    say(hasHost ? "made; open it: `mailboot`" : "made; open it: `mailboot`. A whole mail host: `mailhost apply`")
  }

  private func newVault(_ work: VaultWork) throws(Failure) -> NewVault {
    let place: NewVault.Place
    if type == .gocryptfs {
      place = .directory(directory ?? Configuration.Vault.standardDirectory + (name.map { "_\($0)" } ?? ""))
    } else if let device {
      place = .device(device)
    } else if let size, let bytes = ByteCount.parse(size) {
      let named =
        name.map { "/var/lib/mailboot/\($0).luks" } ?? (next ? "/var/lib/mailboot/next.luks" : Self.standardFile)
      place = .file(file ?? named, bytes: bytes & ~4095)
    } else {
      throw .usage(
        file == nil ? "where the vault is to be is not said" : "how large the file is to be is not said",
        hint:
          "`mailboot vault create DEVICE` on a partition (see `lsblk -f`), `mailboot vault create --size 10G` in a file, or "
          + "`mailboot vault create --type gocryptfs` as a directory")
    }
    let present = work.configuration.vault
    let purpose: NewVault.Purpose = next ? .next : name.map { .another($0) } ?? .first
    var vault = NewVault(
      place: place, purpose: purpose,
      mapping: mapping ?? name.map { "vault-\($0)" } ?? (next ? Self.other(than: present.mapping) : present.mapping),
      mount: mount ?? name.map { "/vault-\($0)" } ?? present.mount, filesystem: filesystem,
      label: label ?? Self.freeLabel(name ?? "vault"), cost: try derivationCost())
    vault.hasIntegrity = integrity
    return vault
  }

  /// Both are open while mail moves.
  private static func other(than mapping: String) -> String {
    mapping.hasSuffix("-2") ? String(mapping.dropLast(2)) : mapping + "-2"
  }

  /// The first that no device has: two of one label would be taken for each other.
  private static func freeLabel(_ wanted: String) -> String {
    var label = wanted
    var number = 2
    while fileStatus("/dev/disk/by-label/\(label)") != nil && number < 100 {
      label = "\(wanted)-\(number)"
      number += 1
    }
    return label
  }

  private func derivationCost() throws(Failure) -> KeyDerivationCost {
    guard let total = try cost.totalMemoryKiB() ?? totalMemoryKiB() else {
      throw .system("/proc/meminfo cannot be read: how much memory there is is not known")
    }
    return KeyDerivationCost(totalMemoryKiB: total)
  }

  private func confirmErasing(_ device: String) throws(Failure) {
    if erase { return }
    let name = device.split(separator: "/").last.map(String.init) ?? device
    switch typedAnswer(to: "All of that would be lost. Type \(name) to erase it:") {
    case .line(name), .line(device): return
    case .interrupted: throw .interrupted(signal: 2)
    case .nobodyThere, .noTerminal: throw .vault(VaultFailure(.notEmpty, ""), device: device)
    case .line: throw .usage("that was not \(name): nothing has been changed", hint: nil)
    }
  }
}

extension VaultType: ExpressibleByArgument {}
