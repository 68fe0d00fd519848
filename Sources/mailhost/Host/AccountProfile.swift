import Linux
import MailHost

/// The profile of one account, signed where the settings have something to sign with, and its place in the web root.
struct AccountProfile {
  let settings: HostSettings
  let root: HostRoot
  private let profile: MobileProfile

  init(settings: HostSettings, root: HostRoot, address: String) {
    self.settings = settings
    self.root = root
    profile = MobileProfile(ClientServers(settings), address: address)
  }

  func bytes() throws(HostFailure) -> [UInt8] {
    try ProfileSigner(settings, root)?.signed(profile.text) ?? Array(profile.text.utf8)
  }

  /// Puts it into the web root, unless it is there.
  func publish(report: (String) -> Void) throws(HostFailure) {
    let webRoot = try WebRoot(settings, root)
    let lock = try HostLock(root)
    defer { withExtendedLifetime(lock) {} }
    let (text, signer) = (profile.text, ProfileSigner(settings, root))
    // A file of this name can only be an earlier profile of the same account.
    var file = WebRoot.File(path: profile.path, bytes: try bytes(), isOurs: { _ in true })
    if let signer {
      file.isSame = { there throws(HostFailure) in try signer.isSignature(there.bytes, of: text) }
    }
    let due = try webRoot.due([file], overwrite: [])
    for file in due { try webRoot.write(file) }
    report((due.isEmpty ? "unchanged " : "wrote ") + webRoot.path + profile.path)
  }

  /// Where it can be loaded from, or why it cannot.
  var link: Result<String, HostFailure> {
    Result { () throws(HostFailure) in
      guard try WebRoot(settings, root).stored(profile.path) != nil else {
        throw HostFailure(
          .failed, "the account's profile is not in the web root", hint: "--publish puts it there")
      }
      return "https://\(WebSite.name(settings.hostName))\(profile.path)"
    }
  }
}
