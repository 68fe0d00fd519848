import Linux
import MailHost

/// Does the steps of `mailhost relay`.
struct RelayApplier: ApplyPorts {
  typealias Fault = HostFailure

  let work: RelayWork
  let seen: RelayWork.Seen
  let generation: Generation
  let texts: [String: [UInt8]]
  private var wasActive = false

  init(_ work: RelayWork, _ seen: RelayWork.Seen, _ generation: Generation, _ texts: [String: [UInt8]]) {
    self.work = work
    self.seen = seen
    self.generation = generation
    self.texts = texts
  }

  private static var services: Services { Services(redisName: "redis") }

  /// Anew: where postfix listens is read at its start only.
  static func tellPostfix(evenIfDown: Bool) throws(HostFailure) {
    guard Services.isThere else { return }
    try services.tell(.postfix, anew: true, evenIfDown: evenIfDown)
  }

  /// What there is to do after the packages, in its order.
  static func steps(_ plan: HostPlan, _ settings: RelaySettings) -> [ApplyStep] {
    let due = plan.changes.filter { $0.kind == .file && [.create, .change].contains($0.action) }.map(\.subject)
      .filter { $0 != settings.passwordPath }
    let units = plan.changes.filter { $0.kind == .unit }.map(\.subject)
    return [.stage, .validate, .begin] + due.map { .write($0) } + (Services.isThere ? units.map { .enable($0) } : [])
      + [.tell(.postfix), .commit]
  }

  mutating func perform(_ step: ApplyStep) throws(HostFailure) {
    StopPoint.reached(step.description)
    switch step {
    case .stage:
      try explained { () throws(SystemError) in
        try work.store.stage(generation, files: texts, before: seen.present.mapValues(\.bytes))
      }
    case .validate: try validate()
    case .begin:
      if Services.isThere { wasActive = try Self.services.isActive("postfix") }
      try explained { () throws(SystemError) in try work.store.begin(generation.number) }
    case .write(let path):
      guard let bytes = texts[path], let entry = generation.entries.first(where: { $0.path == path })?.present else {
        return
      }
      try explained { () throws(SystemError) in try work.root.write(path, bytes, entry) }
    case .enable(let unit): try Self.services.enable(unit)
    case .tell: try Self.tellPostfix(evenIfDown: true)
    case .commit: try explained { () throws(SystemError) in try work.store.commit(generation.number) }
    case .install, .makeGroup, .makeUser, .remove, .reloadManager, .installGuard, .fillVault, .bringUp, .prove: return
    }
  }

  mutating func takeBack() throws(HostFailure) {
    try explained { () throws(SystemError) in try work.store.takeBack(generation.number) }
    guard Services.isThere else { return }
    if wasActive { try Self.tellPostfix(evenIfDown: true) } else { try Self.services.stop(.postfix) }
  }

  private func validate() throws(HostFailure) {
    try Validator.inCopy(of: texts, beside: seen.present) { (place) throws(HostFailure) in
      try Validator.postfix(place, hint: "nothing was changed")
    }
  }
}
