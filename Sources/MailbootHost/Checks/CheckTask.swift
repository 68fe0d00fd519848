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
}

/// One check on its way: a chain of child processes, each begun when the one before has ended.
final class CheckTask {
  /// What an ended child leads to.
  enum Next {
    case findings([Finding])
    case child(ChildProcess, then: (ChildProcess) throws(Failure) -> Next)
  }

  let group: CheckGroup
  private(set) var child: ChildProcess?
  private var then: ((ChildProcess) throws(Failure) -> Next)?
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
    }
  }

  private func fail(_ text: String) {
    findings = group.checks.prefix(1).map { Finding($0, sound: false, detail: text) }
    child = nil
  }

  /// Goes on as far as it can; true when the findings are there.
  func advance() -> Bool {
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
