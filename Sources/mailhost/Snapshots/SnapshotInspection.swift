import HostChecks
import JSON
import MailAccounts
import MailHost
import MailHostProof
import MailbootConfiguration
import MailbootCore
import Text

/// What is in a snapshot, and what is wrong with it. Nothing of the host is looked at.
struct SnapshotInspection {
  /// Of each part one line, or none where there is nothing of it.
  private(set) var summaries: [(part: SnapshotPart, text: String)] = []
  private(set) var problems: [String] = []
  /// What was so on the host, too.
  private(set) var notes: [String] = []
  private(set) var counts: [(String, Int)] = []
  private(set) var domains: [String] = []

  init(_ snapshot: Snapshot) {
    accounts(snapshot)
    keys(snapshot)
    filters(snapshot)
    settings(snapshot)
  }

  private mutating func accounts(_ snapshot: Snapshot) {
    guard let image = snapshot.contents[SnapshotPlaces.database] else {
      problems.append("it has no account database")
      return
    }
    do throws(AccountError) {
      let list = try AccountList(try AccountDatabase.reading(image: image, called: "the account database in it"))
      domains = list.domains.sorted().filter { $0 != TestDomain.name }
      for finding in list.findings where finding.kind == "damage" {
        problems.append("the account database in it is damaged: \(finding.message)")
      }
      let wrong = list.findings.count { $0.severity == .error && $0.kind != "damage" }
      if wrong > 0 {
        notes.append("the accounts in it have \(counted(wrong, "error")), as they had on the host (`mailcfg check`)")
      }
      counts += [("domains", domains.count), ("users", list.users.count), ("aliases", list.aliases.count)]
      summaries.append(
        (
          .accounts,
          "\(counted(domains.count, "domain")), \(counted(list.users.count, "user")), "
            + "\(counted(list.aliases.count, "alias", plural: "aliases"))"
        ))
    } catch {
      problems.append("\(error)")
    }
  }

  private mutating func keys(_ snapshot: Snapshot) {
    let entries = snapshot.manifest.entries(of: .keys).filter { $0.name.hasSuffix(".key") }
    for entry in entries {
      if let problem = SigningKeyFacts(parsing: snapshot.contents[entry.name] ?? []).problem {
        problems.append("\(entry.name) \(problem)")
      }
    }
    if let table = snapshot.contents[SnapshotPlaces.signingTable],
      (try? SigningTable(reading: String(decoding: table, as: UTF8.self))) == nil
    {
      problems.append("\(SnapshotPlaces.signingTable) cannot be read")
    }
    counts.append(("keys", entries.count))
    let settings = try? snapshot.settings()
    let signs = settings.map { $0.spamFilter && $0.selector != nil } ?? !entries.isEmpty
    let unsigned = domains.filter { domain in
      let start = "keys/\(domain)."
      // A selector has no dots: `example.org.au.202601.key` is no key of example.org.
      return !entries.contains { $0.name.hasPrefix(start) && !$0.name.dropFirst(start.count).dropLast(4).contains(".") }
    }
    let text = counted(entries.count, "key") + " to sign mail with"
    if signs, !unsigned.isEmpty {
      let more = unsigned.count > 20 ? " and \(unsigned.count - 20) more" : ""
      notes.append("it has no key to sign the mail of \(unsigned.prefix(20).joined(separator: ", "))\(more)")
    }
    summaries.append((.keys, signs && !unsigned.isEmpty ? text + ", not for every domain" : text))
  }

  private mutating func filters(_ snapshot: Snapshot) {
    let filters = snapshot.manifest.entries(of: .sieve).filter { $0.kind == .file && $0.name.hasSuffix(".sieve") }
    counts.append(("filters", filters.count))
    summaries.append((.sieve, counted(filters.count, "filter")))
  }

  private mutating func settings(_ snapshot: Snapshot) {
    do throws(HostFailure) {
      _ = try snapshot.settings()
    } catch {
      problems += error.texts.map { "in it: \($0)" }
    }
    do throws(ConfigurationError) {
      if let root = try MergedTOML(snapshot.files("settings/mailboot.toml"), merge: { $1.layered(over: $0) }).root {
        _ = try Configuration(decoding: root)
      }
    } catch {
      problems += HostFailure(error).texts.map { "in it: \($0)" }
    }
    let files = snapshot.manifest.entries(of: .settings)
    counts.append(("settings", files.count))
    summaries.append((.settings, counted(files.count, "file")))
  }
}

extension Snapshot {
  /// What its `mailhost.toml` says.
  func settings() throws(HostFailure) -> HostSettings {
    do throws(ConfigurationError) {
      guard let root = try MergedTOML(files(SnapshotPlaces.settings)).root else {
        throw ConfigurationError(issues: [])
      }
      return try HostSettings(decoding: root)
    } catch {
      if error.issues.isEmpty { throw HostFailure(.failed, "there is no mailhost.toml in the snapshot") }
      throw HostFailure(error)
    }
  }

  /// A file of settings, then its drop-ins.
  fileprivate func files(_ name: String) -> [(name: String, bytes: [UInt8])] {
    let names = [name] + contents.keys.filter { $0.hasPrefix(name + ".d/") }.sorted()
    return names.compactMap { name in contents[name].map { (name, $0) } }
  }
}

func counted(_ count: Int, _ one: String, plural: String? = nil) -> String {
  "\(count) \(count == 1 ? one : plural ?? one + "s")"
}
