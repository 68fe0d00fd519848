/// All accounts, and what is wrong with them by themselves.
struct AccountContent {
  var domains: [String] = []
  var users: [(record: UserRecord, password: StoredHash)] = []
  var aliases: [AliasRecord] = []

  var findings: [AccountFinding] {
    let byAddress = Dictionary(users.map { ($0.record.email, $0.record) }, uniquingKeysWith: { first, _ in first })
    var bySource: [String: [String]] = [:]
    for alias in aliases { bySource[alias.source, default: []] += destinations(alias.destination) }
    return nameFindings + passwordFindings + roleFindings(byAddress, bySource) + catchAllFindings(bySource)
      + loopFindings(byAddress, bySource) + destinationFindings(byAddress, bySource)
  }

  /// Names that are not as postfix looks them up: it asks in lower case.
  private var nameFindings: [AccountFinding] {
    var findings: [AccountFinding] = []
    func look(_ stored: String, _ kind: String, _ mend: String, _ normal: () throws(NameError) -> String) {
      let problem: String
      do throws(NameError) {
        let normal = try normal()
        guard normal != stored else { return }
        problem = "postfix looks for \(normal) and never finds this"
      } catch {
        problem = error.reason
      }
      findings.append(AccountFinding(.error, "name", stored, "\(kind): \(problem)", hint: mend))
    }
    let domainNames = Set(domains)
    for name in domains {
      look(name, "domain", "mailcfg rmdom and adddom") { () throws(NameError) in try DomainName(name).text }
    }
    for (user, _) in users {
      look(user.email, "user", "mailcfg rmuser and adduser") { () throws(NameError) in
        try EmailAddress(user.email).text
      }
      if !domainNames.contains(domainPart(user.email)), !domains.isEmpty {
        findings.append(
          AccountFinding(
            .error, "name", user.email, "its address is in no domain of this host",
            hint: "mailcfg adddom \(domainPart(user.email))"))
      }
    }
    for alias in aliases {
      let mend = "mailcfg rmalias -id \(alias.id), and addalias"
      look(alias.source, "alias", mend) { () throws(NameError) in try AliasSource(alias.source).text }
      for address in destinations(alias.destination) {
        look(address, "destination of \(alias.source)", mend) { () throws(NameError) in try EmailAddress(address).text }
      }
    }
    return findings
  }

  private var passwordFindings: [AccountFinding] {
    users.compactMap { user, password in
      let renew = "mailcfg passwd \(user.email)"
      switch password.strength {
      case .strong: return nil
      case .old:
        let scheme = password.scheme ?? "?"
        return AccountFinding(
          .warning, "password", user.email, "its password is stored as \(scheme), which is weak today", hint: renew)
      case .disabled:
        guard user.isActive else { return nil }
        return AccountFinding(.warning, "password", user.email, "no password can be right for it", hint: renew)
      case .unreadable:
        return AccountFinding(.error, "password", user.email, "dovecot cannot read its stored password", hint: renew)
      }
    }
  }

  /// RFC 2142 wants both in every domain that takes mail; RFC 5321 insists on postmaster.
  private func roleFindings(_ users: [String: UserRecord], _ aliases: [String: [String]]) -> [AccountFinding] {
    domains.flatMap { domain in
      ["postmaster", "abuse"].compactMap { role in
        let address = "\(role)@\(domain)"
        if users[address]?.isActive == true || aliases[address] != nil || aliases["@\(domain)"] != nil { return nil }
        return AccountFinding(
          .warning, "role", address, "nobody gets mail for it, but every domain that takes mail must have it",
          hint: "mailcfg addalias \(address) YOU@\(domain)")
      }
    }
  }

  private func catchAllFindings(_ aliases: [String: [String]]) -> [AccountFinding] {
    users.compactMap { user, _ in
      guard aliases[user.email] == nil, aliases["@" + domainPart(user.email)] != nil else { return nil }
      return AccountFinding(
        .error, "catch-all", user.email, "the catch-all of its domain takes all its mail",
        hint: "mailcfg addalias \(user.email) \(user.email)")
    }
  }

  private func loopFindings(_ users: [String: UserRecord], _ aliases: [String: [String]]) -> [AccountFinding] {
    func next(_ address: String) -> [String] {
      nextHops(after: address) {
        aliases[$0] ?? []
      } isUser: {
        users[$0] != nil
      }
    }
    var finished: Set<String> = []
    var reported: Set<String> = []
    return aliases.keys.sorted().compactMap { source in
      guard let loop = aliasLoop(from: source, finished: &finished, next: next), reported.isDisjoint(with: loop) else {
        return nil
      }
      reported.formUnion(loop)
      return AccountFinding(
        .error, "loop", loop[0], "mail goes round in circles: " + (loop + [loop[0]]).joined(separator: " -> "),
        hint: "mailcfg lsalias, then mailcfg rmalias -id N")
    }
  }

  /// Destinations on this host that nobody reads.
  private func destinationFindings(_ users: [String: UserRecord], _ aliases: [String: [String]]) -> [AccountFinding] {
    let domains = Set(domains)
    return self.aliases.flatMap { alias in
      destinations(alias.destination).compactMap { address -> AccountFinding? in
        guard address != alias.source || users[address] == nil else { return nil }
        let drop = "mailcfg rmalias -id \(alias.id)"
        if let user = users[address] {
          guard !user.isActive || !user.limits.receives else { return nil }
          let why = user.isActive ? "is send-only" : "is disabled"
          return AccountFinding(
            .warning, "dead-end", alias.source, "\(address) \(why): mail to it is refused",
            hint: user.isActive ? drop : "mailcfg enable \(address), or \(drop)")
        }
        guard isDeadEnd(address, from: alias.source, aliases: { aliases[$0] ?? [] }, isDomain: domains.contains)
        else { return nil }
        return AccountFinding(
          .error, "dead-end", alias.source, "\(address) is neither a user nor an alias here", hint: drop)
      }
    }
  }
}
