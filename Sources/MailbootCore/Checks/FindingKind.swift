/// Everything that a check may find wrong, by check and in the order of the table in `docs/what-keeps-mail-down.md`, which is made of it.
///
/// The grade belongs to the kind, so that nobody has to decide it at three in the morning: fatal is only what would lose, bounce or
/// misdeliver mail, let it out unsigned where signing is configured, or show it to others.
public enum FindingKind: String, CaseIterable, Codable, Sendable {
  case vaultBroken, mountAbsent, mountOther, mountReadOnly
  case spaceLow, spaceUnknown
  case databaseMissing, databaseUnreadable, databaseForeign, databaseWAL, databaseDamaged, databaseInterrupted
  case databaseSchema, databaseClosed, databaseWritable, databaseAccess, databaseLoose, databaseOrphans
  case dkimKeyMissing, dkimKeyUnreadable, dkimKeyUnusable
  case dkimOtherSelector, dkimUnlisted, dkimSpareKey, dkimShortKey, dkimRecordMissing, dkimRecordDiffers, dkimDomainName
  case certificateMissing, certificateKeyMissing, certificateKeyForeign
  case certificateUnset, certificateKeyOpen, certificateChain, certificateServed
  case certificateExpired, certificateExpires, certificateEarly
  case certificateNames
  case postfixRefuses, dovecotRefuses, rspamdRefuses
  case mapBroken, mapIgnorant, mapSender

  public var check: CheckName {
    switch self {
    case .vaultBroken, .mountAbsent, .mountOther, .mountReadOnly: .mount
    case .spaceLow, .spaceUnknown: .freeSpace
    case .databaseMissing, .databaseUnreadable, .databaseForeign, .databaseWAL, .databaseDamaged, .databaseInterrupted,
      .databaseSchema, .databaseClosed, .databaseWritable, .databaseAccess, .databaseLoose, .databaseOrphans:
      .database
    case .dkimKeyMissing, .dkimKeyUnreadable, .dkimKeyUnusable, .dkimOtherSelector, .dkimUnlisted, .dkimSpareKey,
      .dkimShortKey, .dkimRecordMissing, .dkimRecordDiffers, .dkimDomainName:
      .dkim
    case .certificateMissing, .certificateKeyMissing, .certificateKeyForeign, .certificateUnset, .certificateKeyOpen,
      .certificateChain, .certificateServed:
      .certificate
    case .certificateExpired, .certificateExpires, .certificateEarly: .certificateExpiry
    case .certificateNames: .certificateNames
    case .postfixRefuses: .postfix
    case .dovecotRefuses: .dovecot
    case .rspamdRefuses: .rspamd
    case .mapBroken, .mapIgnorant, .mapSender: .maps
    }
  }

  /// What starting would do to mail. Nil: it is only warned about.
  public var harm: Harm? { words.harm }

  public var grade: Grade { harm == nil ? .warning : .fatal }

  /// What was found, for the table.
  public var meaning: String { words.meaning }

  /// As a sentence goes on that begins with "starting would".
  public enum Harm: String, CaseIterable, Sendable {
    case bounced = "bounce mail"
    case stuck = "deliver nothing: each lookup or write would fail"
    case unsigned = "let mail out unsigned"
    case shown = "let others redirect mail"
    case clear = "let mail travel in the clear"
    case dead = "fail"
  }

  private var words: (meaning: String, harm: Harm?) {
    switch self {
    case .vaultBroken: ("the vault does not answer, or the disk below it is gone", .stuck)
    case .mountAbsent: ("nothing is mounted on the mount point", .bounced)
    case .mountOther: ("something else than the vault is mounted there, or only a part of it", .bounced)
    case .mountReadOnly: ("the mount takes no writes", .stuck)
    case .spaceLow: ("less space or fewer inodes are free than `free-space-warning` says", nil)
    case .spaceUnknown: ("how much is free cannot be seen", nil)
    case .databaseMissing: ("the account database is missing or empty", .bounced)
    case .databaseUnreadable: ("it cannot be opened or read, or is locked all the time", .stuck)
    case .databaseForeign: ("it is no SQLite database", .bounced)
    case .databaseWAL: ("it is in journal mode WAL, which postfix in its chroot cannot open", .stuck)
    case .databaseDamaged: ("SQLite finds it damaged", .bounced)
    case .databaseInterrupted: ("an interrupted change must be rolled back first", .stuck)
    case .databaseSchema:
      ("a table or column is missing that logins, users, aliases or domains are looked up in", .bounced)
    case .databaseClosed: ("nobody but root can read it: neither postfix nor dovecot", .stuck)
    case .databaseWritable: ("everybody on the host may write it, and so redirect mail", .shown)
    case .databaseAccess: ("it has another owner, group or mode than `mailcfg` gives it", nil)
    case .databaseLoose: ("an index, a reference or a column that only `mailcfg` needs is missing", nil)
    case .databaseOrphans: ("rows belong to no domain", nil)
    case .dkimKeyMissing: ("a domain that rspamd is to sign for has no key", .unsigned)
    case .dkimKeyUnreadable: ("rspamd's user cannot read a key", .unsigned)
    case .dkimKeyUnusable: ("rspamd cannot sign with a key", .unsigned)
    case .dkimOtherSelector: ("a domain has a key, but not for the selector that is configured", nil)
    case .dkimUnlisted:
      ("rspamd signs for the domains that its configuration names, and a domain is not among them", nil)
    case .dkimSpareKey: ("one of several keys of a domain cannot be used", nil)
    case .dkimShortKey: ("a key has fewer than 2048 bits", nil)
    case .dkimRecordMissing: ("a key in `dkim-directory` has no `.txt` beside it", nil)
    case .dkimRecordDiffers: ("the `.txt` beside a key is of another key", nil)
    case .dkimDomainName: ("what is stored as a domain is no name", nil)
    case .certificateMissing: ("a certificate that is configured is missing or cannot be read", .clear)
    case .certificateKeyMissing: ("its key is missing or cannot be read", .clear)
    case .certificateKeyForeign: ("the key is not that of the first certificate in the file", .clear)
    case .certificateUnset: ("postfix has no certificate at all", nil)
    case .certificateKeyOpen: ("everybody on the host may read the key", nil)
    case .certificateChain: ("the certificate that signed the host's is not in the file", nil)
    case .certificateServed: ("a service shows an older certificate than the one on the disk", nil)
    case .certificateExpired:
      ("a certificate has expired: the host's, one above it, or one that only a service shows", nil)
    case .certificateExpires: ("one expires within 7 days, or within a third of its life if that is less", nil)
    case .certificateEarly: ("one is not valid yet, or has no readable dates", nil)
    case .certificateNames: ("the host's certificate does not cover the host's name", nil)
    case .postfixRefuses: ("`postfix check` fails", .dead)
    case .dovecotRefuses: ("`doveconf` cannot read the configuration", .dead)
    case .rspamdRefuses: ("`rspamadm configtest` fails", .dead)
    case .mapBroken: ("a lookup table of postfix cannot be asked", .stuck)
    case .mapIgnorant:
      ("postfix finds none of several users, aliases or domains of the database in its tables", .bounced)
    case .mapSender: ("none of several users may send as themselves by `smtpd_sender_login_maps`", nil)
    }
  }
}

extension CheckName {
  /// Whether nothing that it finds ever keeps mail down by itself.
  public var onlyWarns: Bool { !FindingKind.allCases.contains { $0.check == self && $0.grade == .fatal } }
}
