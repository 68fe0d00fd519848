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
  @Option(
    help: ArgumentHelp(
      "The memory of the smallest machine that must open it, such as 512M (default: this one's).", valueName: "size"))
  var memory: String?
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
    for (option, text) in [("--size", size), ("--memory", memory)] {
      if let text, parsedByteSize(text) == nil { throw ValidationError("\(option) takes a size such as 10G") }
    }
    if let label, label.utf8.count > 47 || label.isEmpty { throw ValidationError("--label takes 1 to 47 bytes") }
    if let name, name.isEmpty || !name.utf8.allSatisfy(Self.isPlain) || name.utf8.count > 40 {
      throw ValidationError("--name takes a-z, 0-9 and -")
    }
    if let mount, !mount.hasPrefix("/") || mount == "/" { throw ValidationError("--mount takes an absolute path") }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x2D
  }

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let vault = try newVault(work)
    let lines = ProgressLines(terminal)
    let path = target.common.config ?? ConfigurationFiles.standardPath
    let creation = VaultCreation(work, vault, configuration: path) { text, seconds in
      lines.done(text, seconds)
    }
    creation.progress = { lines.show(done: $0, of: $1) }
    let ground = try work.alone(Self.words) { () throws(Failure) in try creation.look() }
    switch ground {
    case .empty: tell(visible("\(vault.subject): nothing is there"))
    case .unfinished:
      tell(
        visible("\(vault.subject): an earlier `vault create` was interrupted before anything was in it; it begins anew")
      )
    case .whole:
      tell(visible("\(vault.subject): a vault that was made already, and is not configured yet"))
      return try finish(creation, ground, work)
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
    try finish(creation, ground, work)
  }

  private func finish(_ creation: VaultCreation, _ ground: VaultGround, _ work: VaultWork) throws(Failure) {
    try work.alone(Self.words) { () throws(Failure) in try creation.enter(ground) }
    // What it says beside the other files must be a configuration.
    if !next { _ = try ConfigurationFiles(path: target.common.config) }
    if next {
      say("made; move to it: `mailboot vault move`")
    } else {
      let hasHost = fileStatus(mailHostSettingsPath) != nil
      say(hasHost ? "made; open it: `mailboot`" : "made; open it: `mailboot`. A whole mail host: `mailhost apply`")
    }
  }

  private func newVault(_ work: VaultWork) throws(Failure) -> NewVault {
    let place: NewVault.Place
    if type == .gocryptfs {
      place = .directory(directory ?? Configuration.Vault.standardDirectory + (name.map { "_\($0)" } ?? ""))
    } else if let device {
      place = .device(device)
    } else if let size, let bytes = parsedByteSize(size) {
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
      label: label ?? Self.freeLabel(name ?? "vault"), derivationMemoryKiB: try derivationMemoryKiB(work))
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

  private func derivationMemoryKiB(_ work: VaultWork) throws(Failure) -> Int {
    let named = memory.flatMap(parsedByteSize).map { Int($0 >> 10) }
    guard let total = named ?? totalMemoryKiB() else { throw .system("/proc/meminfo cannot be read") }
    return min(1 << 20, max(32, total / 4))
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
