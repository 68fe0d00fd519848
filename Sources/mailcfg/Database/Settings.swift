import Glibc
import JSON
import Linux
import MailAccounts
import MailbootCore

/// What `mailcfg` needs of the configuration.
struct Settings {
  var mount = Configuration.Vault().mount
  var database = Configuration.Verify().database
  var accounts = Configuration.Accounts()
  var dkimDirectory = Configuration.Verify().dkimDirectory
  var dkimSelector = Configuration.Verify().dkimSelector
  var dkimUser = Configuration.Verify().dkimUser
  var dkimSeverity = Configuration.Verify().severity(of: .dkim).rawValue

  private static let program = "/usr/sbin/mailboot"
  /// The usual file is read in milliseconds; a machine that swaps takes its time.
  private static let secondsToRead = 30.0

  /// Reading TOML takes longer than all else together, so it is asked of `mailboot`, and only where there is something to read.
  ///
  /// - Parameter file: the value of `--config`.
  static func load(_ file: String?) throws(Failure) -> Settings {
    if file == nil && !isConfigured { return Settings() }
    let call = [program, "config", "show", "--format", "json"] + (file.map { ["--config", $0] } ?? [])
    let child: ChildProcess
    do {
      // Where we are: the file may be named from here.
      child = try ChildProcess(call, errors: .inherited, directory: nil)
    } catch {
      throw .failed("the configuration is not read: \(error)", hint: "is the package mailboot whole?")
    }
    switch child.wait(until: monotonicSeconds() + secondsToRead) {
    case .exited(0): break
    // It has said why.
    case .exited(ExitCode.configuration.rawValue): throw .configuration
    case .exited(let code): throw .failed("`\(call.joined(separator: " "))` failed (\(code))", hint: nil)
    case .killed(let signal):
      throw .failed("`\(call.joined(separator: " "))` was ended by signal \(signal)", hint: nil)
    }
    guard let root = JSONText(parsing: child.output) else {
      throw .failed("`mailboot config show` gave no JSON", hint: "are both programs of the same package?")
    }
    return Settings(root)
  }

  private init() {}

  private init(_ root: JSONText) {
    func text(_ table: String, _ key: String, _ otherwise: String) -> String { root[table]?[key]?.text ?? otherwise }
    mount = text("vault", "mount", mount)
    database = text("verify", "database", database)
    dkimDirectory = text("verify", "dkim-directory", dkimDirectory)
    dkimSelector = text("verify", "dkim-selector", dkimSelector)
    dkimUser = text("verify", "dkim-user", dkimUser)
    dkimSeverity = root["verify"]?["severity"]?["dkim"]?.text ?? dkimSeverity
    accounts.scheme = text("accounts", "scheme", accounts.scheme)
    accounts.spool = text("accounts", "spool", accounts.spool)
    accounts.sieve = text("accounts", "sieve", accounts.sieve)
    accounts.owner = text("accounts", "owner", accounts.owner)
  }

  /// Whether there is a configuration file or a drop-in; a directory that cannot be looked into may have one.
  private static var isConfigured: Bool {
    if access(mailbootSettingsPath, F_OK) == 0 { return true }
    guard let names = listDirectory(mailbootSettingsPath + ".d") else { return errno != ENOENT }
    return names.contains { !$0.hasPrefix(".") }
  }
}
