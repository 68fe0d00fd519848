import CLinux
import Glibc
import Linux
import MailbootCore

/// What the checks of one run learn from each other.
final class CheckFacts {
  var database: DatabaseReply?
  var postfix: PostfixSettings?
  /// Whether `postfix check` has passed in this run.
  var postfixChecked = false
  /// Asks rspamd what it signs with; begun before it is needed.
  var signing: ChildProcess?
  /// Whether it was begun before the vault was open, in which some of rspamd's settings may lie.
  var isSigningEarly = false
  /// Whether what its files say has to be heard from rspamd itself.
  var isSigningDoubted = false
  /// Whether a service has failed to start: nobody need wait for it any more.
  var hasFailedService = false
}

/// One check on its way: a chain of child processes, each begun when the one before has ended.
final class CheckTask {
  /// What an ended child leads to.
  enum Next {
    case findings([Finding])
    case child(ChildProcess, then: (ChildProcess) throws(Failure) -> Next)
    /// What is not there yet may be there later.
    case pause(seconds: Double, then: () throws(Failure) -> Next)
  }

  let group: CheckGroup
  private(set) var child: ChildProcess?
  private var then: ((ChildProcess) throws(Failure) -> Next)?
  private var pause: (end: Double, then: () throws(Failure) -> Next)?
  private(set) var findings: [Finding]?
  private let deadline: Double

  init(_ group: CheckGroup, deadline: Double, _ begin: () throws(Failure) -> Next) {
    self.group = group
    self.deadline = deadline
    do {
      take(try begin())
    } catch {
      fail(error.summary)
    }
  }

  private func take(_ next: Next) {
    switch next {
    case .findings(let all):
      findings = all
      child = nil
    case .child(let child, let then):
      self.child = child
      self.then = then
    case .pause(let seconds, let then):
      child = nil
      pause = (Reactor.monotonic() + seconds, then)
    }
  }

  private func fail(_ text: String) {
    findings = group.checks.prefix(1).map { Finding(notMade: $0, text) }
    child = nil
    pause = nil
  }

  /// Goes on as far as it can; true when the findings are there.
  func advance() -> Bool {
    if let (end, then) = pause {
      guard Reactor.monotonic() >= end else { return false }
      pause = nil
      do { take(try then()) } catch { fail(error.summary) }
    }
    while let child, let then {
      if !child.pump() {
        guard Reactor.monotonic() >= deadline else { return false }
        child.killAndReap()
        fail("\(child.name) did not end in time")
        break
      }
      do {
        take(try then(child))
      } catch {
        fail(error.summary)
      }
    }
    return findings != nil
  }

  /// Whether it has ended with nothing to complain about.
  var isSound: Bool { findings?.allSatisfy(\.sound) ?? false }

  func abandon() { child?.killAndReap() }
}
