import MailbootCore

/// An active device-mapper device.
struct MappingStatus: Equatable, Sendable {
  /// `major:minor`.
  var device: String
  /// As device-mapper has it: `CRYPT-LUKS2-<32 hex digits>-NAME`.
  var dmUUID: String
  /// Paths of the devices below it (for a loop device, its backing file).
  var backing: [String]
  /// False when a device below it has gone away: unplugged, or given up by its driver.
  var hasItsDisk: Bool

  init(device: String, dmUUID: String, backing: [String], hasItsDisk: Bool = true) {
    self.device = device
    self.dmUUID = dmUUID
    self.backing = backing
    self.hasItsDisk = hasItsDisk
  }

  /// Whether a volume of that format is open there.
  func isVolume(of type: VaultType) -> Bool {
    switch type {
    case .luks: luksUUID != nil
    case .veracrypt: dmUUID.hasPrefix("CRYPT-TCRYPT-")
    case .bitlocker: dmUUID.hasPrefix("CRYPT-BITLK-")
    case .gocryptfs, .plain: false
    }
  }

  /// The LUKS header's UUID with dashes; nil when this is no LUKS mapping.
  var luksUUID: String? { uuid { $0.hasPrefix("LUKS") } }

  /// The header's UUID, where its format has one.
  var volumeUUID: String? { uuid { $0.hasPrefix("LUKS") || $0 == "BITLK" } }

  private func uuid(_ isMeant: (Substring) -> Bool) -> String? {
    let parts = dmUUID.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "CRYPT", isMeant(parts[1]), parts[2].count == 32 else { return nil }
    let hex = Array(parts[2])
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
  }
}
