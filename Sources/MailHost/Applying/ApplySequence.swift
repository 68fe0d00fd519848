/// One step of `apply`.
public enum ApplyStep: Equatable, Sendable {
  /// Missing packages, with a policy that keeps every service from starting meanwhile.
  case install([String])
  case makeGroup(String)
  case makeUser(String)
  /// The new generation, whole, beside the present one.
  case stage
  /// The daemons' own tools look at the new files, where they are not yet the host's.
  case validate
  /// From here until `commit` the host is between two generations, and whoever comes next goes back to the old one.
  case begin
  case write(String)
  case remove(String)
  /// systemd reads its units again.
  case reloadManager
  case enable(String)
  case installGuard
  /// A daemon that runs reads its files again.
  case tell(HostFile.Reader)
  /// What is in the vault: directories, database, accounts, keys, filters.
  case fillVault
  /// Services that should run and do not.
  case bringUp
  /// Mail goes in and out as promised.
  case prove
  /// The new generation is the present one.
  case commit

  /// As a person reads it.
  public var description: String {
    switch self {
    case .install(let packages): "install \(packages.joined(separator: " "))"
    case .makeGroup(let name): "group \(name)"
    case .makeUser(let name): "user \(name)"
    case .stage: "keep what is there"
    case .validate: "ask postfix, dovecot and rspamd whether they can read it"
    case .begin: "begin"
    case .write(let path): "write \(path)"
    case .remove(let path): "remove \(path)"
    case .reloadManager: "systemd reads its units"
    case .enable(let unit): "enable \(unit)"
    case .installGuard: "guard the services while the vault is closed"
    case .tell(let reader): "\(reader.rawValue) reads its files"
    case .fillVault: "fill the vault"
    case .bringUp: "start the services"
    case .prove: "test"
    case .commit: "done"
    }
  }
}

/// Does the steps. What fails before `begin` has changed nothing that mail depends on; what fails after it is taken back.
public struct ApplySequence<Ports: ApplyPorts> {
  /// How it went wrong.
  public enum Failed: Error {
    /// Nothing has changed but packages and users that were added.
    case refused(ApplyStep, Ports.Fault)
    /// The old generation is back. `after`: what went wrong on the way back, when something did.
    case takenBack(ApplyStep, Ports.Fault, after: Ports.Fault?)
  }

  private let steps: [ApplyStep]

  public init(_ steps: [ApplyStep]) { self.steps = steps }

  /// - Parameter report: called before each step.
  public func run(_ ports: inout Ports, report: (ApplyStep) -> Void = { _ in }) throws(Failed) {
    var hasBegun = false
    for step in steps {
      report(step)
      do {
        if step == .begin { hasBegun = true }
        try ports.perform(step)
      } catch {
        guard hasBegun else { throw .refused(step, error) }
        do {
          try ports.takeBack()
        } catch let second {
          throw .takenBack(step, error, after: second)
        }
        throw .takenBack(step, error, after: nil)
      }
    }
  }
}

/// What the sequence does its work by.
public protocol ApplyPorts {
  associatedtype Fault: Error
  mutating func perform(_ step: ApplyStep) throws(Fault)
  /// Brings the generation before back, whole, and lets the daemons read it.
  mutating func takeBack() throws(Fault)
}

extension HostPlan {
  /// The steps that make the host as it is to be, in their order.
  /// - Parameters:
  ///   - readers: of each file that changes.
  ///   - isOpen: whether the vault is.
  ///   - manage: what we may touch.
  public func steps(
    readers: Set<HostFile.Reader>, isOpen: Bool, manage: HostSettings.Manage
  ) -> [ApplyStep] {
    var steps: [ApplyStep] = []
    func due(_ kind: HostChange.Kind) -> [HostChange] {
      changes.filter { $0.kind == kind && ![.wait, .keep].contains($0.action) }
    }
    let packages = due(.package).map(\.subject)
    if !packages.isEmpty { steps.append(.install(packages)) }
    steps += due(.group).map { .makeGroup($0.subject) } + due(.user).map { .makeUser($0.subject) }
    let files = due(.file)
    steps.append(.stage)
    if !files.isEmpty { steps.append(.validate) }
    steps.append(.begin)
    steps += files.map { $0.action == .remove ? .remove($0.subject) : .write($0.subject) }
    if manage.services {
      if !due(.guarding).isEmpty { steps.append(.installGuard) }
      if readers.contains(.redis) || !due(.unit).isEmpty { steps.append(.reloadManager) }
      steps += due(.unit).map { .enable($0.subject) }
    }
    if isOpen { steps.append(.fillVault) }
    if manage.services {
      // The door comes last.
      steps += HostFile.Reader.doorLast.filter(readers.contains).map { .tell($0) }
      if isOpen { steps += [.bringUp, .prove] }
    }
    steps.append(.commit)
    return steps
  }
}
