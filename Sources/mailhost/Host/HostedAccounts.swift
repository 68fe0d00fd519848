import Glibc
import Linux
import MailAccounts
import MailHost
import MailHostProof
import Text

/// Who has mail on this host, by its account database.
struct HostedAccounts {
  let settings: HostSettings
  let root: HostRoot

  /// Whether nobody can be looked up: the database is in the vault, which is closed.
  var isLocked: Bool {
    settings.isInVault(settings.database) && !Vault(settings: settings, root: root).isOpen
      && fileStatus(root.path(settings.database)) == nil
  }

  /// The user that was typed.
  func user(_ typed: String) throws(HostFailure) -> UserRecord {
    let found = try reading { (database) throws(AccountError) -> Result<UserRecord, HostFailure> in
      do throws(AccountError) {
        return .success(try database.user(typed))
      } catch .noUser(let name) {
        return .failure(Self.noUser(name, aliases: (try? database.aliasRows(name)) ?? []))
      }
    }
    return try found.get()
  }

  /// Every domain, by name; without that of the test, whose users exist only while it runs.
  func domains() throws(HostFailure) -> [String] {
    let names = try reading { (database) throws(AccountError) -> Set<String> in
      var names: Set<String> = []
      try database.domains { names.insert($0.name.lowercased()) }
      return names
    }
    return names.filter { $0 != TestDomain.name }.sorted()
  }

  private static func noUser(_ name: String, aliases: [AliasRecord]) -> HostFailure {
    guard !aliases.isEmpty else {
      return HostFailure(.failed, "there is no user \(name)", hint: "`mailcfg adduser \(shellWord(name))` adds one")
    }
    return HostFailure(
      .failed,
      "there is no user \(name): it is an alias, whose mail goes to \(aliases.map(\.destination).joined(separator: ", "))",
      hint: "nobody logs in as an alias; its mail is read in the accounts that it goes to")
  }

  private func reading<Answer>(
    _ look: (borrowing AccountDatabase) throws(AccountError) -> Answer
  ) throws(HostFailure) -> Answer {
    do throws(AccountError) {
      let database = try AccountDatabase(path: root.path(settings.database), .read)
      return try look(database)
    } catch {
      switch error {
      case .name: throw HostFailure(.usage, error.description)
      case .database(.notPermitted, _): throw HostFailure(.notPermitted, error.description, hint: "call it as root")
      case .database(.missing, _), .database(.noDirectory, _):
        throw HostFailure(.failed, error.description, hint: "`mailhost apply` makes it")
      default: throw HostFailure(.failed, error.description)
      }
    }
  }
}
