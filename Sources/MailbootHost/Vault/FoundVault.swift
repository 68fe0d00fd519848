import CLinux
import Glibc
import Linux
import MailbootCore

/// A configuration that does not say what kind of vault it has, or how rspamd is to be asked, completed by what is on this machine.
///
/// A `device` that is a directory is one of gocryptfs. Where nothing names a device either, the directory at its standard place is the
/// vault, unless there is a LUKS device.
public func completed(_ configuration: Configuration) -> Configuration {
  var configuration = configuration
  if configuration.vault.type == nil { configuration.vault.type = FoundVault(configuration.vault).type }
  for index in configuration.otherVaults.indices where configuration.otherVaults[index].type == nil {
    configuration.otherVaults[index].type = FoundVault(configuration.otherVaults[index]).type
  }
  configuration.services = RspamdProbe().completed(configuration.services)
  return configuration
}

extension FirstSteps {
  /// As this machine is.
  public init(on configuration: Configuration) {
    let standard = Configuration().services.map(\.name)
    self.init(
      hasVault: FoundVault(configuration.vault).isThere, hasMailHost: fileStatus(mailHostSettingsPath) != nil,
      hasStandardServices: configuration.services.map(\.name) == standard)
  }
}

/// Looks for the kind of vault. Needs no privilege.
struct FoundVault {
  let vault: Configuration.Vault
  /// Where the encrypted directory would be.
  var directory = Configuration.Vault.standardDirectory
  var crypttab = "/etc/crypttab"
  var luksDevices: () -> [String] = DeviceResolver.luksDevices

  init(_ vault: Configuration.Vault) {
    self.vault = vault
  }

  var type: VaultType {
    if let device = vault.device {
      if let status = fileStatus(device) { return mb_s_isdir(status.st_mode) != 0 ? .gocryptfs : .luks }
      // A directory on a disk that is mounted later: devices are below /dev, and files of LUKS are not waited for either.
      return device.hasPrefix("/") && !device.hasPrefix("/dev/") && isMountedLater(device) ? .gocryptfs : .luks
    }
    return isEncrypted(directory) && !hasLUKS ? .gocryptfs : .luks
  }

  /// Whether there is anything that could be the vault. What somebody has named counts: it may only be missing at the moment.
  var isThere: Bool {
    vault.type == .plain || vault.device != nil || isEncrypted(directory) || hasLUKS
  }

  /// Others than root may not be able to look into it.
  private func isEncrypted(_ directory: String) -> Bool {
    fileStatus("\(directory)/\(GocryptfsConfiguration.fileName)") != nil || errno == EACCES
  }

  private var hasLUKS: Bool {
    readSmallText(crypttab).flatMap { DeviceResolver.crypttabDevice(of: vault.mapping, in: $0) } != nil
      || DeviceMapper.mapping(named: vault.mapping) != nil || !luksDevices().isEmpty
  }
}
