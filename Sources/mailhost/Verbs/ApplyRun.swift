import Console
import MailHost

/// Does the steps of a change and shows them, and says what came of it.
struct ApplyRun {
  let work: HostWork
  let seen: HostObserver.Observation
  let terminal: Terminal
  /// Whether the host is tested afterwards.
  let tests: Bool
  /// Whether the daemons' tools look at the files first. Not at those that were there before us: they are not whole without others.
  var validates = true

  /// All that the plan has, to a new generation.
  func perform(_ generation: Generation, _ texts: [String: [UInt8]]) throws(HostFailure) {
    var steps = seen.plan.steps(readers: seen.readers, isOpen: seen.isOpen, manage: work.settings.manage)
    if !tests || !Services.isThere || !work.root.isHere { steps.removeAll { $0 == .prove } }
    if !validates { steps.removeAll { $0 == .validate } }
    try perform(steps, generation, texts)
    say("generation \(generation.number) is in place")
  }

  func perform(
    _ steps: [ApplyStep], _ generation: Generation, _ texts: [String: [UInt8]]
  ) throws(HostFailure) {
    let terminal = terminal
    let settings = work.settings
    var applier = HostApplier(
      work, seen, generation, texts: texts, report: { tell("  \($0)") },
      prove: { () throws(HostFailure) in try HostTest(settings: settings, terminal: terminal).mustPass() })
    do {
      try ApplySequence<HostApplier>(steps).run(&applier) { step in
        if ![.begin, .stage, .commit].contains(step) { tell(step.description) }
      }
    } catch {
      throw HostFailure(error, hint: "call `mailhost apply` again: it first takes back the rest")
    }
  }
}
