import HostChecks
import MailbootCore

extension ProofKind {
  /// What the filter learns of people.
  static let lessons: [ProofKind] = [
    ProofKind(.learnSpam, hint: lessonHint) {
      (run) throws(Silence) in
      try run.lesson(from: "INBOX", to: "Junk", teaches: .spam)
    },
    ProofKind(.learnHam, hint: lessonHint) {
      (run) throws(Silence) in
      try run.lesson(from: "Junk", to: "INBOX", teaches: .ham)
    },
    ProofKind(
      .trashIsNoHam,
      hint: "`mailhost plan`: the filter learn_ham must stop for Trash"
    ) { (run) throws(Silence) in
      try run.lesson(from: "Junk", to: "Trash", teaches: nil)
    },
  ]

  private static let lessonHint = "`journalctl -u dovecot -u rspamd`, `mailhost plan`"
}

/// What the filter has learned: how many mails of each kind.
struct Lessons: Equatable {
  enum Kind: String { case spam, ham }

  var spam = 0
  var ham = 0

  subscript(_ kind: Kind) -> Int { kind == .spam ? spam : ham }
}

extension ProofRun {
  /// Moves a mail of random words, and looks at what that has taught. A few words that no other mail has change no judgement.
  fileprivate func lesson(from source: String, to target: String, teaches kind: Lessons.Kind?) throws(Silence)
    -> Finding
  {
    guard subject.spamFilter else { return .skip("spam_filter is off") }
    let client = try mailProgram(one)
    defer { client.leave() }
    var learned: Lessons?
    // Somebody else may move a mail at this very moment: then once more.
    for attempt in 1...3 {
      let mark = mark("\(source) to \(target) \(attempt)")
      try client.append(message(mark, from: "stranger@elsewhere.invalid", to: one.address), to: source)
      guard let number = try self.await(mark, in: source, client) else {
        return .fail("a mail that was put into \(source) is not there")
      }
      let before = try lessons()
      try client.move(number, to: target)
      let after = try lessons { lessons in kind.map { lessons[$0] > before[$0] } ?? true }
      let change = Lessons(spam: after.spam - before.spam, ham: after.ham - before.ham)
      learned = change
      if change == Lessons(spam: kind == .spam ? 1 : 0, ham: kind == .ham ? 1 : 0) {
        return .pass("\(source) to \(target): \(kind.map { "one more of \($0.rawValue)" } ?? "nothing learned")")
      }
      if kind != nil, change == Lessons() { break }
    }
    let change = learned ?? Lessons()
    return .fail("\(source) to \(target) taught \(change.spam) of spam and \(change.ham) of ham")
  }

  /// Asked until it is so, for some seconds.
  private func lessons(once isSo: (Lessons) -> Bool) throws(Silence) -> Lessons {
    let limit = Deadline(after: 5)
    while true {
      let lessons = try lessons()
      if isSo(lessons) || limit.hasPassed { return lessons }
      pause(0.1)
    }
  }

  /// What redis has, where rspamd keeps it: its own figures are some 30 seconds old.
  private func lessons() throws(Silence) -> Lessons {
    let key = subject.perUserBayes ? "RS\(one.address)" : "RS"
    let client = try RedisClient(subject.url(.redis, 6379), seconds: seconds)
    defer { client.leave() }
    return Lessons(
      spam: try client.number("HGET \(key) learns_spam"), ham: try client.number("HGET \(key) learns_ham"))
  }
}
