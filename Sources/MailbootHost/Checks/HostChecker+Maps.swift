import Glibc
import Linux
import MailbootCore

/// Asks postfix's tables as postfix does: one after the other, the first that knows it answers.
extension HostChecker {
  func maps() throws(Failure) -> CheckTask.Next {
    try knownAccounts { database throws(Failure) in
      try postconf { settings throws(Failure) in
        if settings.isEmpty { return .findings([Finding(inapplicable: .maps, "no postfix here")]) }
        let files = AccountFiles(verify.database)
        let questions = settings.chains.map { chain in
          // Another database knows others.
          let isOurs = database != nil && files.isAsked(by: chain)
          let known = isOurs ? database.map { samples(for: chain.parameter, $0) } ?? [] : []
          return MapQuestion(
            chain: chain, samples: known.isEmpty ? ["postmaster@invalid"] : known, isKnown: !known.isEmpty)
        }
        return try askForProxymap(Array(Set(settings.chains.flatMap(\.filesOfProxymap))).sorted()[...]) {
          () throws(Failure) in
          try ask(MapRound(questions: questions))
        }
      }
    }
  }

  /// Goes on when the user postfix can read each of the files.
  private func askForProxymap(
    _ files: ArraySlice<String>, _ then: @escaping () throws(Failure) -> CheckTask.Next
  ) throws(Failure) -> CheckTask.Next {
    let program = "/usr/bin/setpriv"
    guard let file = files.first, access(program, X_OK) == 0 else { return try then() }
    // As postfix sets itself: without further groups.
    let child = try startChild([
      program, "--reuid=postfix", "--regid=postfix", "--clear-groups", "/usr/bin/test", "-r", file,
    ])
    return .child(child) { child throws(Failure) in
      guard child.end == .exited(1), child.errorOutput.isEmpty else {
        return try askForProxymap(files.dropFirst(), then)
      }
      return .findings([
        Finding(
          .mapBroken, "\(file) is asked through proxymap, and the user postfix cannot read it",
          hint: "ask it without `proxy:` in main.cf, or let postfix read it")
      ])
    }
  }

  private func samples(for parameter: String, _ database: DatabaseReply) -> [String] {
    switch parameter {
    case "virtual_mailbox_domains": Array(database.domains.prefix(8))
    case "virtual_alias_maps": database.aliases
    default: database.users
    }
  }

  /// Asks the next table, then the rest.
  private func ask(_ round: MapRound) throws(Failure) -> CheckTask.Next {
    guard let (key, table) = round.next else { return .findings([round.finding]) }
    let child = try startChild(["/usr/sbin/postmap", "-q", key, table])
    return .child(child) { child throws(Failure) in
      var round = round
      if let complaint = MapRound.complaint(child.errorOutput), child.end != .exited(0) {
        // Its server may be among the services that start beside this.
        if LookupChain.isServed(table), mayRollBack, !facts.hasFailedService, Reactor.monotonic() < round.patience {
          return .pause(seconds: 1) { () throws(Failure) in try ask(round) }
        }
        return .findings([
          Finding(
            .mapBroken, "\(table): \(complaint)",
            hint: "ask it yourself: `postmap -q \(shellQuoted(key)) \(shellQuoted(table))`")
        ])
      }
      round.took(answer: child.end == .exited(0))
      return try ask(round)
    }
  }
}

/// A parameter's tables, and what they are asked for.
struct MapQuestion: Equatable {
  var chain: LookupChain
  var samples: [String]
  /// Whether one of the samples has to be found.
  var isKnown: Bool
}

/// How far the asking is.
struct MapRound {
  private let questions: [MapQuestion]
  private var question = 0
  private var sample = 0
  private var table = 0
  /// Tables that have been asked for anything.
  private var asked: Set<String> = []
  /// Whether the present sample has been found; what is left of the tables is still asked whether it answers at all.
  private var isFound = false
  private var found: [(parameter: String, key: String, after: [String])] = []
  private var missing: [MapQuestion] = []
  /// Until when a server may be waited for.
  let patience: Double

  init(questions: [MapQuestion], patience: Double = 60) {
    self.questions = questions
    self.patience = Reactor.monotonic() + patience
    settle()
  }

  /// What to ask now; nil: all is asked.
  var next: (key: String, table: String)? {
    guard question < questions.count else { return nil }
    let now = questions[question]
    return (now.samples[sample], now.chain.tables[table])
  }

  mutating func took(answer: Bool) {
    let now = questions[question]
    asked.insert(now.chain.tables[table])
    if answer, !isFound {
      isFound = true
      if now.isKnown { found.append((now.chain.parameter, now.samples[sample], Array(now.samples[..<sample]))) }
    }
    table += 1
    settle()
  }

  /// Goes on to the next table that has to be asked.
  private mutating func settle() {
    while question < questions.count {
      let now = questions[question]
      if isFound {
        while table < now.chain.tables.count, asked.contains(now.chain.tables[table]) { table += 1 }
      }
      if table < now.chain.tables.count { return }
      table = 0
      if !isFound, now.isKnown, sample + 1 < now.samples.count {
        sample += 1
        continue
      }
      if !isFound, now.isKnown { missing.append(now) }
      question += 1
      sample = 0
      isFound = false
    }
  }

  var finding: Finding {
    // The worst first: mail to a recipient is bounced, a sender only has to wait.
    let sorted = missing.filter { $0.chain.parameter != "smtpd_sender_login_maps" } + missing
    if let question = sorted.first {
      let key = question.samples[0]
      let all = question.samples.count == 1 ? key : "any of \(question.samples.prefix(3).joined(separator: ", "))"
      let table = question.chain.tables.first { $0.hasPrefix("sqlite:") } ?? question.chain.tables[0]
      return Finding(
        question.chain.parameter == "smtpd_sender_login_maps" ? .mapSender : .mapIgnorant,
        printable("\(question.chain.parameter) does not know \(all), which the database has"),
        hint: "compare its query with the database: `postmap -q \(shellQuoted(key)) \(shellQuoted(table))`")
    }
    let count = asked.count
    var text = "\(count) \(count == 1 ? "map answers" : "maps answer")"
    let users = found.filter { $0.parameter == "virtual_mailbox_maps" }
    if let user = users.first {
      text +=
        ", for \(user.key)" + (user.after.isEmpty ? "" : " (not for \(user.after.prefix(3).joined(separator: ", ")))")
    }
    return Finding(sound: .maps, printable(text))
  }

  /// What postmap complains of. Status 1 is both "not there" and "fatal", and it warns of much that has nothing to do with the table.
  static func complaint(_ errors: String) -> String? {
    let lines = errors.split(separator: "\n")
    guard lines.contains(where: { $0.contains("fatal: ") || $0.contains("error: ") || $0.contains("panic: ") }) else {
      return nil
    }
    let noise = ["overriding earlier entry", "unused parameter", "will be removed", "undefined parameter"]
    let telling = lines.filter { line in !noise.contains { line.contains($0) } }
    return printable(telling.prefix(2).joined(separator: "; ").prefix(300))
  }
}

/// For a hint: names come from a database.
private func shellQuoted(_ text: String) -> String {
  let plain = text.utf8.allSatisfy { byte in
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || "@.-_+:/=".utf8.contains(byte)
  }
  return plain
    ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
