import HostChecks
import Linux
import MailbootCore

/// One test of the mail host, with what all its parts use.
public final class ProofRun {
  public let subject: ProofSubject
  let one = TestUser("one")
  let two = TestUser("two")
  /// For other machines' reports: may write as anybody here, to nobody elsewhere.
  let relay = TestUser("relay")
  /// In the subject of every mail of this run.
  let token = randomWord(bytes: 6)
  /// Monotonic seconds at which all is to be over.
  private let end: Double
  /// Whether the filter is really stopped for a moment; nil: it is not.
  let filterSwitch: FilterSwitch?
  private let isInterrupted: () -> Bool

  /// Seconds a conversation may take.
  private static let patience = 25.0

  /// - Parameters:
  ///   - seconds: for all of it. What has not begun by then is left out.
  ///   - isInterrupted: asked between two proofs.
  public init(
    _ subject: ProofSubject, seconds: Double = 55, filterSwitch: FilterSwitch? = nil,
    isInterrupted: @escaping () -> Bool = { false }
  ) {
    self.subject = subject
    self.filterSwitch = filterSwitch
    self.isInterrupted = isInterrupted
    end = monotonicSeconds() + seconds
  }

  /// Tries everything, one after the other: whatever takes time is waiting for the servers, and a child that is another user must be
  /// a copy of a process with one thread.
  ///
  /// The test's users are there only meanwhile. What a killed run has left is removed first.
  /// - Parameter show: told of each proof as it is made.
  /// - Throws: when the users cannot be made or removed.
  public func perform(_ accounts: some TestAccounts, show: (Proof) -> Void) throws(TestTrouble) -> [Proof] {
    try accounts.remove()
    TestKey.removeAll(in: subject.dkim)
    var proofs: [Proof] = []
    do throws(TestTrouble) {
      try accounts.make([one, two, relay])
    } catch {
      // Why they could not be made matters more than why they could not be removed.
      try? accounts.remove()
      throw error
    }
    for kind in ProofKind.all where !isInterrupted() {
      let proof = made(kind)
      proofs.append(proof)
      show(proof)
    }
    // Whoever asks afterwards is to know of one that has come since.
    _ = isInterrupted()
    TestQueue.empty(within: 5)
    TestKey.removeAll(in: subject.dkim)
    try accounts.remove()
    return proofs
  }

  private func made(_ kind: ProofKind) -> Proof {
    guard monotonicSeconds() < end else {
      return Proof(name: kind.name.rawValue, result: .skip, detail: "no time was left", hint: nil)
    }
    let finding: Finding
    do throws(Silence) {
      finding = try kind.look(self)
    } catch {
      finding = .fail(error.reason)
    }
    switch finding {
    case .pass(let seen): return Proof(name: kind.name.rawValue, result: .pass, detail: seen, hint: nil)
    case .fail(let seen, let hint):
      return Proof(name: kind.name.rawValue, result: .fail, detail: seen, hint: hint ?? kind.hint)
    case .skip(let why): return Proof(name: kind.name.rawValue, result: .skip, detail: why, hint: nil)
    }
  }

  // MARK: What proofs use

  /// Seconds that a conversation has.
  var seconds: Double { max(0.1, min(Self.patience, end - monotonicSeconds())) }

  /// A session on port 25 (or another one that is as open) as of any server elsewhere, after EHLO.
  func stranger(port: UInt16 = 25) throws(Silence) -> SMTPClient {
    let client = try SMTPClient(subject.url(.smtp, port), from: subject.stranger, seconds: seconds)
    guard client.greeting.code == 220 else { throw Silence(reason: "greeted with \(client.greeting.line)") }
    try client.sayHello()
    return client
  }

  /// A session on a port for users, within TLS, logged in.
  func submission(_ port: UInt16, as user: TestUser) throws(Silence) -> SMTPClient {
    let url = subject.url(port == 465 ? .smtps : .smtp, port)
    let client = try SMTPClient(url, from: nil, seconds: seconds, serverName: subject.hostName)
    try client.sayHello()
    if port != 465 { try client.startTLS(serverName: subject.hostName) }
    let answer = try client.logIn(user)
    guard answer.isAccepted else { throw Silence(reason: "port \(port) refused the login: \(answer.line)") }
    return client
  }

  func mailProgram(_ user: TestUser) throws(Silence) -> IMAPClient {
    try IMAPClient(subject.url(.imaps, 993), user, seconds: seconds, serverName: subject.hostName)
  }

  /// Text for subjects that no other mail has.
  func mark(_ what: String) -> String { "mailhost test \(token) \(what)" }

  /// A mail that looks like any other. Its text is of random words, so whatever learns it has learned nothing.
  func message(_ mark: String, from sender: String, to recipient: String) -> String {
    let words = (0..<8).map { _ in (0..<8).map { _ in randomWord(bytes: 4) }.joined(separator: " ") }
    return """
      Date: \(mailDate(wallSeconds()))\r
      From: \(sender)\r
      To: \(recipient)\r
      Message-ID: <\(randomWord(bytes: 12))@\(TestDomain.name)>\r
      Subject: \(mark)\r
      \r
      \(words.joined(separator: "\r\n"))\r

      """
  }

  /// Sends a mail from elsewhere.
  /// - Throws: also when it is not accepted.
  func receive(_ mark: String, for user: TestUser) throws(Silence) {
    let sender = "stranger@elsewhere.invalid"
    let client = try stranger()
    let answer = try client.deliver(message(mark, from: sender, to: user.address), from: sender, to: [user.address])
    client.leave()
    guard answer.isAccepted else { throw Silence(reason: "port 25 did not take a mail to a user: \(answer.line)") }
  }

  /// Waits for a mail.
  /// - Returns: its number in the mailbox, which is selected; nil when it has not come in time.
  func await(_ mark: String, in mailbox: String, _ client: IMAPClient, for time: Double = 10) throws(Silence) -> Int? {
    let limit = min(monotonicSeconds() + time, end)
    while true {
      if try client.select(mailbox), let number = try client.search(subject: mark).first { return number }
      guard monotonicSeconds() < limit else { return nil }
      pause(0.1)
    }
  }

  /// What a program says on its standard output.
  func output(_ words: [String]) throws(Silence) -> String {
    do throws(SystemError) {
      let child = try ChildProcess(words)
      _ = child.wait(until: monotonicSeconds() + seconds)
      return String(decoding: child.output, as: UTF8.self)
    } catch {
      throw Silence(reason: error.text)
    }
  }
}
