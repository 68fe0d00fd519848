import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Text

/// `gocryptfs.conf` is what a header is elsewhere: it holds the one key, encrypted with the one passphrase.
extension VaultWork {
  private static let gocryptfs = "/usr/bin/gocryptfs"
  private static let xray = "/usr/bin/gocryptfs-xray"

  /// The encrypted directory.
  func gocryptfsDirectory() throws(Failure) -> String {
    let directory = configuration.vault.shownDevice ?? Configuration.Vault.standardDirectory
    guard let real = resolvedPath(directory) else {
      throw .vault(VaultFailure(.noDirectory, errnoText()), device: directory)
    }
    return real
  }

  /// What names the vault among backups: it has no UUID.
  static func name(ofGocryptfs directory: String) -> String {
    "gocryptfs-" + directory.split(separator: "/").joined(separator: "-")
  }

  /// The one keyslot, so to say. Measured: scrypt with a passphrase that opens nothing.
  public func gocryptfsKey(measured: Bool) throws(Failure) -> (key: Keyslot, directory: String) {
    let directory = try gocryptfsDirectory()
    let file = try GocryptfsConfiguration(in: directory)
    var key = Keyslot(
      number: 0, kind: .passphrase, derivation: "scrypt", memoryKiB: file.derivationMemoryKiB,
      iterations: file.scrypt.n, threads: file.scrypt.p)
    if measured {
      let nonsense: SecretBytes
      do {
        var bytes = try SecretBytes(capacity: 8)
        for _ in 0..<8 { try bytes.append(UInt8(ascii: "\u{1}")) }
        nonsense = bytes
      } catch {
        throw .system("\(error)")
      }
      let begun = Reactor.monotonic()
      if try !gocryptfsOpens(nonsense, "\(directory)/\(GocryptfsConfiguration.fileName)") {
        key.seconds = Reactor.monotonic() - begun
      }
    }
    return (key, directory)
  }

  /// How long the passphrase takes.
  public func testGocryptfsKey(_ passphrase: borrowing SecretBytes, file: String? = nil) throws(Failure) -> Double {
    let begun = Reactor.monotonic()
    let directory = try gocryptfsDirectory()
    if file == nil { _ = try GocryptfsConfiguration(in: directory) }
    guard try gocryptfsOpens(passphrase, file ?? "\(directory)/\(GocryptfsConfiguration.fileName)") else {
      throw refused(passphrase)
    }
    return Reactor.monotonic() - begun
  }

  private func refused(_ passphrase: borrowing SecretBytes) -> Failure {
    .passphraseRefused(tries: 1, empty: passphrase.isEmpty, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
  }

  /// Whether the passphrase decrypts the key in the file. What the program prints is the key itself: nobody gets it.
  private func gocryptfsOpens(_ passphrase: borrowing SecretBytes, _ file: String) throws(Failure) -> Bool {
    if passphrase.isEmpty { return false }
    // It would take the first line for all of it.
    if let why = GocryptfsVault.unusable(passphrase) { throw .passphraseUnusable(why) }
    // It says the same of all that cannot be decrypted.
    return try runQuietly([Self.xray, "-dumpmasterkey", file], try lines(passphrase)) == 0
  }

  /// Puts a new passphrase in the place of the old one. gocryptfs replaces its file in one step; a copy of it is kept first.
  func changeGocryptfsKey(
    _ existing: borrowing SecretBytes, to new: borrowing SecretBytes
  ) throws(Failure) -> KeyChange {
    if let why = GocryptfsVault(configuration).unusable(new) { throw .passphraseUnusable(why) }
    if new.isEmpty { throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false) }
    return try alone("vault change-key") { () throws(Failure) in
      let directory = try gocryptfsDirectory()
      let file = "\(directory)/\(GocryptfsConfiguration.fileName)"
      _ = try GocryptfsConfiguration(in: directory)
      if existing.isSame(as: new), try gocryptfsOpens(existing, file) { return .same(keyslot: nil) }
      guard try gocryptfsOpens(existing, file) else {
        // After a cut behind the change there is nothing left to do.
        if try gocryptfsOpens(new, file) {
          return .changed(keyslot: nil, removed: nil, cleared: [], wasThere: true)
        }
        throw refused(existing)
      }
      try headers.prepare()
      let copy = try backupPath(nil, vault: Self.name(ofGocryptfs: directory), suffix: "replaced")
      try copyFile(file, to: copy)
      // Left by a cut; gocryptfs would take it for another one at work.
      unlink(file + ".tmp")
      guard try runQuietly([Self.gocryptfs, "-passwd", "-q", directory], try lines(existing, new)) == 0,
        try gocryptfsOpens(new, file)
      else {
        throw .vault(
          VaultFailure(
            .damagedConfiguration, "gocryptfs did not take the new passphrase; a copy of what was there is \(copy)"),
          device: directory)
      }
      // Neither program says when the name is on the disk.
      try settleNames(in: directory)
      // With it the old passphrase still opens everything.
      unlink(copy)
      rememberGocryptfs(directory)
      return .changed(keyslot: nil, removed: nil, cleared: [], wasThere: false)
    }
  }

  private func lines(_ secret: borrowing SecretBytes) throws(Failure) -> SecretBytes {
    do {
      var line = try SecretBytes(capacity: secret.count + 1)
      try line.append(line: secret)
      return line
    } catch {
      throw .system("\(error)")
    }
  }

  private func lines(_ first: borrowing SecretBytes, _ second: borrowing SecretBytes) throws(Failure) -> SecretBytes {
    do {
      var lines = try SecretBytes(capacity: first.count + second.count + 2)
      try lines.append(line: first)
      try lines.append(line: second)
      return lines
    } catch {
      throw .system("\(error)")
    }
  }

  /// Runs a program that reads secrets on its standard input, and shows nothing of what it says.
  private func runQuietly(_ arguments: [String], _ input: borrowing SecretBytes) throws(Failure) -> Int32 {
    guard access(arguments[0], X_OK) == 0 else {
      throw .vault(VaultFailure(.noProgram, "\(arguments[0]): \(errnoText())"), device: "gocryptfs")
    }
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    // The shell only puts the pipe where the program reads, and its output nowhere.
    let child: ChildProcess
    do {
      child = try startChild(
        ["/bin/sh", "-c", #"exec "$0" "$@" <&3 3<&- >/dev/null 2>&1"#] + arguments, descriptors: [ends[0]])
    } catch {
      for end in ends { close(end) }
      throw error
    }
    close(ends[0])
    // Two passphrases of at most 2048 bytes: a pipe takes them at once.
    try? write(input, to: ends[1])
    close(ends[1])
    if case .exited(let code) = try child.run(reactor, until: nil) { return code }
    throw .system("\(arguments[0]) was ended by a signal")
  }

  // MARK: Backups

  /// Copies `gocryptfs.conf` to where backups are.
  public func backUpGocryptfs(to wanted: String?) throws(Failure) -> String {
    try alone("vault backup-header") { () throws(Failure) in
      let directory = try gocryptfsDirectory()
      _ = try GocryptfsConfiguration(in: directory)
      let name = Self.name(ofGocryptfs: directory)
      let path = try backupPath(wanted, vault: name, suffix: "conf")
      try copyFile("\(directory)/\(GocryptfsConfiguration.fileName)", to: path)
      try headers.store(
        HeaderBackupRecord(uuid: name, path: path, at: Reactor.wall(), fingerprint: "", sha256: ""))
      rememberGocryptfs(directory)
      return path
    }
  }

  /// Looks at `gocryptfs.conf`, or at a backup of it.
  public func checkGocryptfs(_ file: String?) throws(Failure) -> (path: String, key: Keyslot) {
    let directory = try gocryptfsDirectory()
    let path = file ?? "\(directory)/\(GocryptfsConfiguration.fileName)"
    let parsed = try gocryptfsFile(path)
    return (
      path,
      Keyslot(
        number: 0, kind: .passphrase, derivation: "scrypt", memoryKiB: parsed.derivationMemoryKiB,
        iterations: parsed.scrypt.n, threads: parsed.scrypt.p)
    )
  }

  private func gocryptfsFile(_ path: String) throws(Failure) -> GocryptfsConfiguration {
    guard let bytes = readSmallFile(path) else {
      throw .usage("\(path) cannot be read: \(errnoText())", hint: "see `ls \(headers.path)`")
    }
    do {
      return try GocryptfsConfiguration(parsing: bytes, directory: parentDirectory(of: path))
    } catch .vault(let failure, _) {
      throw .usage("\(path) is no sound gocryptfs.conf: \(failure.detail)", hint: "see `ls \(headers.path)`")
    }
  }

  /// Puts a backup in the place of `gocryptfs.conf`, in one step.
  /// - Returns: the copy of what was there; nil: nothing was.
  public func restoreGocryptfs(_ file: String) throws(Failure) -> String? {
    try alone("vault restore-header") { () throws(Failure) in
      let directory = try gocryptfsDirectory()
      let target = "\(directory)/\(GocryptfsConfiguration.fileName)"
      _ = try gocryptfsFile(file)
      let name = Self.name(ofGocryptfs: directory)
      if let real = resolvedPath(file), let other = headers.owner(of: real), other != name {
        throw .usage(
          "\(file) was saved of another vault, \(other)",
          hint: "is `device` in [vault] right? see `ls \(headers.path)`")
      }
      guard let bytes = readSmallFile(file) else { throw .usage("\(file): \(errnoText())", hint: nil) }
      var copy: String?
      if fileStatus(target) != nil {
        let kept = try backupPath(nil, vault: Self.name(ofGocryptfs: directory), suffix: "replaced")
        try copyFile(target, to: kept)
        copy = kept
      }
      try replace(target, with: bytes, mode: 0o400)
      try headers.store(
        HeaderBackupRecord(
          uuid: Self.name(ofGocryptfs: directory), path: resolvedPath(file) ?? file,
          at: fileStatus(file).map { Double($0.st_mtim.tv_sec) } ?? 0, fingerprint: "", sha256: ""))
      rememberGocryptfs(directory)
      return copy
    }
  }

  private func copyFile(_ source: String, to path: String) throws(Failure) {
    guard let bytes = readSmallFile(source) else { throw .system("\(source): \(errnoText())") }
    try replace(path, with: bytes, mode: 0o600)
    guard readSmallFile(path) == bytes else { throw .system("\(path) was not written as it should be") }
  }

  /// In one step, and on the disk.
  private func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws(Failure) {
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let descriptor = mb_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(temporary): \(errnoText())") }
    defer { close(descriptor) }
    guard writeAll(bytes, to: descriptor), fchmod(descriptor, mode) == 0, fsync(descriptor) == 0,
      rename(temporary, path) == 0
    else {
      let why = errnoText()
      unlink(temporary)
      throw .system("\(path): \(why)")
    }
    try settleNames(in: parentDirectory(of: path))
  }

  public func gocryptfsBackupState(_ directory: String) -> HeaderBackupState { headers.state(ofGocryptfs: directory) }

  private func rememberGocryptfs(_ directory: String) { remember(headers.state(ofGocryptfs: directory)) }
}

extension SecretBytes {
  fileprivate mutating func append(line: borrowing SecretBytes) throws(SecretMemoryError) {
    try append(contentsOf: line)
    try append(UInt8(ascii: "\n"))
  }
}

extension HeaderStore {
  /// Its file is small: it is compared itself.
  func state(ofGocryptfs directory: String) -> HeaderBackupState {
    guard let record = record(VaultWork.name(ofGocryptfs: directory)), let saved = readSmallFile(record.path) else {
      return HeaderBackupState(state: .none)
    }
    let now = readSmallFile("\(directory)/\(GocryptfsConfiguration.fileName)", flags: O_NOFOLLOW)
    return HeaderBackupState(state: saved == now ? .current : .older, path: record.path, at: record.at)
  }
}
