import Cryptsetup
import Glibc
import JSON
import Linux
import MailbootCore

/// Writes a backup of the header, and reads it again.
func backUpHeader(_ request: BackupHeaderRequest) -> HeaderReply {
  do {
    let device = try LUKSDevice(device: request.header ?? request.device)
    try device.backUpHeader(to: request.file)
    let wanted = fingerprint(of: device, header: request.header ?? request.device)
    _ = consume device
    let report = try report(on: request.file)
    guard report.flaws.isEmpty, report.table.fingerprint == wanted else {
      throw VaultFailure(.other, "what was written to \(request.file) is not what the header is")
    }
    return .header(report)
  } catch {
    unlink(request.file)
    return .failed(VaultFailure(any: error))
  }
}

/// Looks at a header; changes nothing.
func checkHeader(_ request: CheckHeaderRequest) -> HeaderReply {
  LUKSDevice.preventHeaderRepair()
  do {
    return .header(try report(on: request.path))
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

/// Puts a backup onto a device. What it replaces is saved first.
func restoreHeader(_ request: RestoreHeaderRequest, whileWanted presence: ParentPresence) -> HeaderReply {
  do {
    let backup = try report(on: request.file)
    if let seen = request.sha256, seen != backup.sha256 {
      throw VaultFailure(.notChanged, "\(request.file) is another one than it was a moment ago")
    }
    presence.commit()
    if let copy = request.copy {
      try LUKSDevice.copyStart(of: request.path, count: backup.size, to: copy)
    }
    try LUKSDevice.restoreHeader(of: request.path, from: request.file)
    let now = try report(on: request.path)
    guard now.flaws.isEmpty, now.table.fingerprint == backup.table.fingerprint else {
      throw VaultFailure(.notChanged, "what is on \(request.path) now is not what \(request.file) has")
    }
    return .header(now)
  } catch {
    return .failed(VaultFailure(any: error))
  }
}

private func report(on path: String) throws -> HeaderReport {
  let copies = try HeaderCopies(of: path)
  let device = try LUKSDevice(device: path)
  let size = device.headerSize
  return HeaderReport(
    table: table(of: device, header: path),
    copies: copies.copies.map { HeaderReport.Copy(offset: $0.offset, flaw: $0.flaw, sequence: $0.sequence) },
    size: size, available: bytes(of: path), sha256: fileDigest(path, limit: size) ?? "",
    volume: volumeFingerprint(of: device, header: path), isBeingRekeyed: device.reencryption != .none)
}

/// Of the data's segments, and of the digests of the keys that they have; not of the keyslots.
private func volumeFingerprint(of device: borrowing LUKSDevice, header: String) -> String {
  guard let text = device.metadata, let json = JSONText(parsing: Array(text.utf8)) else {
    // The header of LUKS1 up to its UUID.
    return fileDigest(header, limit: 168) ?? ""
  }
  guard case .object(let digests)? = json["digests"] else { return "" }
  let keys = digests.compactMap { _, digest -> String? in
    guard case .object(let members) = digest, case .array(let segments)? = digest["segments"], !segments.isEmpty else {
      return nil
    }
    return sorted(.object(members.filter { $0.0 != "keyslots" })).line()
  }
  let parts = [sorted(json["segments"] ?? .null).line()] + keys.sorted()
  return digest(Array(parts.joined(separator: "\n").utf8))
}

/// Of a file or block device.
private func bytes(of path: String) -> Int {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return 0 }
  defer { close(descriptor) }
  return max(0, lseek(descriptor, 0, Int32(SEEK_END)))
}

func table(of device: borrowing LUKSDevice, header: String) -> KeyTable {
  KeyTable(
    version: device.version, uuid: device.uuid, label: device.label,
    keyslots: device.keyslots.map(Keyslot.init), capacity: device.keyslotCapacity,
    fingerprint: fingerprint(of: device, header: header))
}

extension Keyslot {
  init(_ slot: KeyslotDescription) {
    let kind: Kind =
      slot.isUnfinished
      ? .unfinished : slot.isBound ? Kind(tokens: slot.tokens) : slot.derivation == nil ? .reencryption : .unbound
    let derivation = slot.derivation
    let type = derivation.map { $0.type == "pbkdf2" && !$0.hash.isEmpty ? "pbkdf2-\($0.hash)" : $0.type } ?? ""
    self.init(
      number: slot.number, kind: kind, tokens: slot.tokens, priority: slot.priority, derivation: type,
      memoryKiB: derivation?.memoryKiB ?? 0, iterations: derivation?.iterations ?? 0,
      threads: derivation?.threads ?? 0)
  }
}

/// Of what decides who can open the volume: SHA-256 over keyslots, digests and tokens, whatever order the library writes them in. Each
/// keyslot has a salt of its own, so a changed passphrase shows.
func fingerprint(of device: borrowing LUKSDevice, header: String) -> String {
  guard let text = device.metadata, let json = JSONText(parsing: Array(text.utf8)) else {
    // The header of LUKS1, its specification, figure 1.
    return fileDigest(header, limit: 592) ?? ""
  }
  let parts = ["keyslots", "digests", "tokens", "segments"].map { sorted(json[$0] ?? .null).line() }
  return digest(Array(parts.joined(separator: "\n").utf8))
}

private func sorted(_ json: JSONText) -> JSONText {
  switch json {
  case .object(let members): .object(members.map { ($0.0, sorted($0.1)) }.sorted { $0.0 < $1.0 })
  case .array(let items): .array(items.map(sorted))
  default: json
  }
}
