import CLinux
import Glibc
import JSON
import Linux
import MailbootCore
import SecretMemory
import Text

/// `mailboot vault info` and `check`: only looking.
extension VaultWork {
  /// What the vault is, in the order in which it is shown.
  public func info() throws(Failure) -> [VaultFact] {
    let vault = configuration.vault
    var facts = [VaultFact("type", "kind", vault.kind.rawValue)]
    switch vault.kind {
    case .luks: try addLUKS(&facts)
    case .gocryptfs: try addGocryptfs(&facts)
    case .veracrypt, .bitlocker:
      let device = try DeviceResolver(vault: vault, timeout: 0).resolve(reactor)
      facts.append(VaultFact("device", "device", device, .string(device)))
      facts.append(VaultFact("mapping", "mapping", vault.mapping, .string(vault.mapping)))
    case .plain: facts.append(VaultFact("encrypted", nil, "", .bool(false)))
    }
    addMount(&facts)
    return facts
  }

  private func addLUKS(_ facts: inout [VaultFact]) throws(Failure) {
    let vault = configuration.vault
    let (device, header) = try luks()
    let said = try self.facts(device, header: header)
    facts.append(
      VaultFact(
        "device", "device", device == vault.device ? device : "\(device) (\(vault.device ?? "found"))", .string(device))
    )
    if let header { facts.append(VaultFact("header", "header in", header)) }
    facts += [
      VaultFact("version", "format", "LUKS\(said.version)", .integer(Int64(said.version))),
      VaultFact("uuid", "UUID", said.uuid), VaultFact("label", "label", said.label ?? "none", .optional(said.label)),
      VaultFact("cipher", "cipher", "\(said.cipher), \(said.keyBits) bits", .string(said.cipher)),
      VaultFact("key_bits", nil, "", .integer(Int64(said.keyBits))),
      VaultFact("sector_size", "sectors", "\(said.sectorSize) bytes", .integer(Int64(said.sectorSize))),
      VaultFact("integrity", "integrity", said.integrity ?? "none", .optional(said.integrity)),
      VaultFact(
        "keyslots", "keyslots",
        "\(said.keyslots)" + (said.unboundKeyslots > 0 ? ", and \(said.unboundKeyslots) that open nothing" : "")
          + (said.hasTokens ? ", with tokens" : ""), .integer(Int64(said.keyslots))),
      VaultFact("unbound_keyslots", nil, "", .integer(Int64(said.unboundKeyslots))),
    ]
    let mapping = LUKSVault(vault).mapping
    let bytes = blockBytes(device)
    facts.append(
      VaultFact("size", "size", bytes.map { ByteCount.text($0) } ?? "?", bytes.map { .integer(Int64($0)) } ?? .null))
    facts.append(
      VaultFact(
        "mapping", "mapping", mapping == nil ? "\(vault.mapping), not open" : "\(vault.mapping), open",
        .string(vault.mapping)))
    facts.append(VaultFact("open", nil, "", .bool(mapping != nil)))
    let inCrypttab = LUKSVault(vault).crypttabOptions.contains("discard")
    let live = mapping.flatMap { _ in liveDiscards }
    facts.append(
      VaultFact(
        "discards", "discards",
        (said.allowsDiscards ? "let through (header)" : inCrypttab ? "let through (crypttab)" : "kept back")
          + (live.map { $0 == (said.allowsDiscards || inCrypttab) ? "" : $0 ? "; now let through" : "; now kept back" }
            ?? ""),
        .bool(said.allowsDiscards || inCrypttab)))
    facts.append(
      VaultFact(
        "requirements", said.requirements.isEmpty ? nil : "requires", said.requirements.joined(separator: ", "),
        .array(said.requirements.map { .string($0) })))
    if said.reencryption != .none {
      facts.append(
        VaultFact(
          "reencryption", "rekey",
          said.reencryption == .cut
            ? "cut; `mailboot vault rekey` goes on"
            : "begun; `mailboot vault rekey` goes on", .string(said.reencryption.rawValue)))
    } else {
      facts.append(VaultFact("reencryption", nil, "", .string("none")))
    }
    let trouble = said.copyTrouble
    facts.append(
      VaultFact(
        "header_trouble", trouble.isEmpty ? nil : "trouble", trouble.joined(separator: "; "),
        .array(trouble.map { .string($0) })))
    if mapping != nil, let layers = try? layers() {
      for (index, words) in layers.unfinished.enumerated() {
        facts.append(VaultFact("unfinished_\(index)", "unfinished", words))
      }
    }
  }

  /// Whether the open mapping lets discards through; nil when that cannot be seen.
  var liveDiscards: Bool? {
    guard let mapping = LUKSVault(configuration.vault).mapping,
      let most = readAttribute("/sys/dev/block/\(mapping.device)/queue/discard_max_bytes")
    else { return nil }
    return most != "0"
  }

  private func addGocryptfs(_ facts: inout [VaultFact]) throws(Failure) {
    let directory = configuration.vault.shownDevice ?? Configuration.Vault.standardDirectory
    facts.append(VaultFact("device", "directory", directory))
    let (status, lines) = try tool([GocryptfsUnit.program, "-info", directory])
    guard status == 0 else {
      throw .vault(VaultFailure(.damagedConfiguration, lines.last ?? "status \(status)"), device: directory)
    }
    let names = [
      "Creator": ("creator", "made by"), "FeatureFlags": ("features", "features"),
      "ScryptObject": ("derivation", "derivation"), "contentEncryption": ("cipher", "cipher"),
    ]
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
      guard parts.count == 2, let (key, label) = names[String(parts[0])] else { continue }
      facts.append(VaultFact(key, label, String(parts[1])))
    }
    facts.append(VaultFact("keyslots", "keyslots", "1 passphrase (and the master key)", .integer(1)))
  }

  private func addMount(_ facts: inout [VaultFact]) {
    let vault = configuration.vault
    let kind = VaultKinds.make(configuration)
    let seen = MountTable.current().flatMap { try? kind.observe($0) }
    let isOpen = seen?.opening.isOpen ?? false
    guard isOpen, let mount = seen?.mount else {
      facts.append(VaultFact("mount", "mount", "\(vault.mount), not mounted", .string(vault.mount)))
      facts.append(VaultFact("mounted", nil, "", .bool(false)))
      return
    }
    facts.append(
      VaultFact(
        "mount", "mount", "\(vault.mount), \(mount.filesystem)" + (mount.isReadOnly ? ", read-only" : ""),
        .string(vault.mount)))
    facts.append(VaultFact("mounted", nil, "", .bool(true)))
    facts.append(VaultFact("filesystem", nil, "", .string(mount.filesystem)))
    guard let size = mount.sizeBytes, let free = mount.availableBytes, size > 0 else { return }
    let percent = Int((Double(size - min(free, size)) / Double(size) * 100).rounded())
    facts.append(
      VaultFact(
        "filesystem_size", "space", "\(ByteCount.text(free)) free of \(ByteCount.text(size)), \(percent) % used",
        .integer(Int64(clamping: size))))
    facts.append(VaultFact("filesystem_available", nil, "", .integer(Int64(clamping: free))))
  }

  /// Bytes of a block device or file.
  func blockBytes(_ path: String) -> UInt64? {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let end = lseek(descriptor, 0, SEEK_END)
    return end < 0 ? nil : UInt64(end)
  }

  // MARK: Checking

  /// Looks at headers and file system and writes nothing.
  public func check() throws(Failure) -> [VaultFinding] {
    switch configuration.vault.kind {
    case .luks: return try checkLUKS()
    case .gocryptfs: return try checkGocryptfs()
    case .veracrypt, .bitlocker:
      return [
        VaultFinding(
          "header", .skipped, "only the passphrase shows whether it is one of \(configuration.vault.kind.title)")
      ]
    case .plain:
      return [VaultFinding("file system", .skipped, "nothing is encrypted; it belongs to the system")]
    }
  }

  private func checkLUKS() throws(Failure) -> [VaultFinding] {
    let (device, header) = try luks()
    var found = VaultFinding.header(try facts(device, header: header))
    guard let mapping = try openMapping() else {
      found.append(VaultFinding("file system", .skipped, "the vault is closed: only `mailboot` can open it to look"))
      return found
    }
    let node = LUKSVault(configuration.vault).node
    if !mapping.hasItsDisk { found.append(VaultFinding("device", .bad, "the disk below the open vault is gone")) }
    guard let size = FileSystemSize(of: node) else {
      found.append(
        VaultFinding(
          "file system", .skipped, "\(DeviceMapper.content(of: mapping) ?? "none that is known") is on \(node)"))
      return found
    }
    let isMounted = (MountTable.current()?.entries ?? []).contains {
      $0.device == mapping.device || resolvedPath($0.source) == resolvedPath(node)
    }
    found.append(
      isMounted ? try checkMounted(size, mapping, node) : try checkUnmounted(size, node))
    return found
  }

  /// Only what can be said of a file system at work.
  private func checkMounted(_ size: FileSystemSize, _ mapping: MappingStatus, _ node: String) throws(Failure)
    -> VaultFinding
  {
    let mount = configuration.vault.mount
    switch size.type {
    case "ext4":
      let errors = MountTable.current()?.status(of: mount)?.errors ?? 0
      return errors > 0 || size.hasErrors
        ? VaultFinding(
          "file system", .bad, "ext4, mounted: the kernel has counted \(errors) errors since its last check")
        : VaultFinding(
          "file system", .ok, "ext4, mounted: no errors counted; a full check needs it unmounted (`mailboot lock`)")
    case "btrfs":
      let (status, lines) = try tool(["/usr/bin/btrfs", "device", "stats", "--check", mount])
      let scrub = try tool(["/usr/bin/btrfs", "scrub", "status", mount]).lines.first { $0.contains("Error summary") }
      return VaultFinding(
        "file system", status == 0 ? .ok : .bad,
        "btrfs, mounted: " + (status == 0 ? "no device errors" : "device errors")
          + (scrub.map { "; last scrub: \($0.split(separator: ":").last.map(String.init) ?? "")" } ?? "; never scrubbed"),
        evidence: status == 0 ? [] : lines.filter { !$0.hasSuffix(" 0") })
    default:
      return VaultFinding(
        "file system", .skipped, "\(size.type), mounted: it can be checked only unmounted (`mailboot lock`)")
    }
  }

  private func checkUnmounted(_ size: FileSystemSize, _ node: String) throws(Failure) -> VaultFinding {
    let arguments =
      switch size.type {
      case "ext4": ["/usr/sbin/e2fsck", "-n", "-f", node]
      case "xfs": ["/usr/sbin/xfs_repair", "-n", node]
      default: ["/usr/bin/btrfs", "check", "--readonly", node]
      }
    let (status, lines) = try tool(arguments)
    return status == 0
      ? VaultFinding("file system", .ok, "\(size.type), checked in full: clean")
      : VaultFinding(
        "file system", .bad, "\(size.type): \(arguments[0]) found errors (status \(status))", evidence: lines)
  }

  private func checkGocryptfs() throws(Failure) -> [VaultFinding] {
    let directory = configuration.vault.shownDevice ?? Configuration.Vault.standardDirectory
    _ = try GocryptfsConfiguration(in: directory).derivationMemoryKiB
    var found = [VaultFinding("configuration", .ok, "\(directory)/gocryptfs.conf can be read")]
    let opening = try VaultKinds.make(configuration).observe(MountTable.current() ?? MountTable(parsing: "")).opening
    switch opening {
    case .broken(let why): found.append(VaultFinding("mount", .bad, why))
    case .open: found.append(VaultFinding("mount", .ok, "open, and it answers"))
    case .closed: break
    }
    return found
  }

  /// gocryptfs's own check, which reads all names and contents.
  public func checkContents(_ passphrase: borrowing SecretBytes) throws(Failure) -> VaultFinding {
    let directory = configuration.vault.shownDevice ?? Configuration.Vault.standardDirectory
    if let why = GocryptfsVault.unusable(passphrase) { throw .passphraseUnusable(why) }
    let pipe = try SecretPipe()
    let child = try startChild(
      [GocryptfsUnit.program, "-fsck", "-q", "-passfile", "/dev/fd/3", directory], descriptors: [pipe.readEnd])
    pipe.hand(passphrase)
    let end = try child.run(reactor, until: nil)
    let lines = (String(decoding: child.output, as: UTF8.self) + "\n" + child.errorOutput)
      .split(whereSeparator: \.isNewline).map(String.init)
    switch end {
    case .exited(0): return VaultFinding("contents", .ok, "gocryptfs has read every name and all contents")
    case .exited(12):
      throw .passphraseRefused(
        tries: 1, empty: passphrase.isEmpty, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    case .exited(let status):
      return VaultFinding("contents", .bad, "`gocryptfs -fsck` found errors (status \(status))", evidence: lines)
    case .killed(let signal): throw .system("gocryptfs was ended by signal \(signal)")
    }
  }

  /// Whether `check` wants the passphrase: only gocryptfs's own check reads names and contents.
  public var checkTakesPassphrase: Bool { configuration.vault.kind == .gocryptfs }
}
