/// Owner and mode that something put back gets.
extension SnapshotPlaces {
  /// Those in the snapshot where such a thing may have them: anybody can have made it who has the public key. Else those that `apply` and
  /// `dkim` give it. Never a bit of 07000.
  public static func attributes(of entry: SnapshotEntry) -> Generation.Attributes {
    let rule = rule(of: entry)
    // A set-group-ID bit of a directory stays behind without a word.
    let mode = entry.kind == .directory ? entry.mode & 0o777 : entry.mode
    // A link has none that counts.
    let isSafe = entry.kind == .link || mode & ~rule.most == 0 && isReadable(entry, by: rule.reader)
    let isAllowed =
      rule.owners.contains(entry.owner) && rule.owners.contains(entry.group) && isSafe
    if isAllowed { return Generation.Attributes(mode: mode, owner: entry.owner, group: entry.group) }
    return Generation.Attributes(
      mode: entry.mode & 0o004 == 0 ? rule.usual & ~0o007 : rule.usual, owner: rule.owner, group: rule.group)
  }

  private struct Rule {
    var owner = "root"
    var group = "root"
    /// Whose such a thing may be.
    var owners: Set<String> = ["root"]
    var reader = "root"
    /// Bits that it may have.
    var most: UInt32
    /// What it gets instead of others.
    var usual: UInt32
  }

  private static func rule(of entry: SnapshotEntry) -> Rule {
    let isDirectory = entry.kind == .directory
    switch entry.part {
    case .accounts: return Rule(group: "vmail", owners: ["root", "vmail"], reader: "vmail", most: 0o640, usual: 0o640)
    case .keys:
      let mode: UInt32 = isDirectory ? 0o750 : 0o640
      return Rule(
        owner: "_rspamd", group: "_rspamd", owners: ["root", "_rspamd"], reader: "_rspamd", most: mode, usual: mode)
    case .sieve:
      return Rule(
        owner: "vmail", group: "vmail", owners: ["root", "vmail"], reader: "vmail", most: isDirectory ? 0o775 : 0o664,
        usual: isDirectory ? 0o770 : 0o640)
    case .settings where entry.name == password: return Rule(most: 0o640, usual: 0o600)
    case .settings, nil: return Rule(most: 0o644, usual: 0o644)
    }
  }

  private static func isReadable(_ entry: SnapshotEntry, by reader: String) -> Bool {
    let needed: UInt32 = entry.kind == .directory ? 0o5 : 0o4
    let bits = entry.owner == reader ? entry.mode >> 6 : entry.group == reader ? entry.mode >> 3 : entry.mode
    return bits & needed == needed
  }
}

extension SnapshotEntry {
  /// As it is put back here: nothing of it is later than the snapshot itself, nor than now.
  public func asPutBack(taken: String, now: String) -> SnapshotEntry {
    var entry = self
    let attributes = SnapshotPlaces.attributes(of: self)
    (entry.mode, entry.owner, entry.group) = (attributes.mode, attributes.owner, attributes.group)
    // Timestamps of one form are ordered as texts are.
    entry.modified = min(modified, taken, now)
    return entry
  }
}
