import Glibc
import MailbootCore
import Systemd

/// The units of a door on their way to where they are held: started, and all done but to listen.
///
/// What they do themselves before they listen counts as it is. Debian 13's `postfix.service` runs `postfix check`, so that check
/// is this one, made once.
final class DoorPreparation {
  /// What the units run as their last command before they listen.
  static let helper = "/usr/libexec/mailboot/hold-door"

  /// Whether a unit can be held, and what it checks by itself.
  struct Abilities: Equatable {
    var isHeld: Bool
    var checks: Set<CheckGroup>

    init(_ unit: UnitDetails) {
      let last = unit.startPre.last
      // As systemd has read it, not as the file is: a drop-in it does not know yet holds nothing.
      isHeld = last?.path == DoorPreparation.helper && last?.ignoresFailure == false
      checks = unit.postfixCheck == nil ? [] : [.postfix]
    }
  }

  let index: Int
  private let hold: DoorHold
  private let name: UnitName
  private let units: UnitControl
  private let begunMonotonic = Reactor.monotonic()
  private let begunWall = Reactor.wall()
  private let job: JobID
  /// The units that do the work.
  private let names: [UnitName]
  /// Seconds that each command of a unit's start may take; nil: as long as it wants.
  private let timeout: Double?
  /// When waiting here would be taken for a start that hangs, monotonic seconds.
  private var limit = Double.infinity
  /// When it is given up, monotonic seconds: then the units are started when their turn comes.
  private let deadline: Double
  private var jobResult: String?
  private var hasArrived = false
  private var nextLook: Double
  private var events: [ServicesEvent] = []
  private var waitingChecks: Set<CheckGroup>
  private enum Phase { case preparing, held, ended }
  private var phase = Phase.preparing

  /// Seconds between two looks when nothing tells: each takes systemd 15 ms in an emulated machine, which is busy then.
  private static let interval = 5.0
  /// And at first, to find the commands that are to have precedence.
  private static let firstInterval = 0.3

  /// What can be held of this service; nil: not all of its units can, or one is up already.
  ///
  /// Nor one whose own dependencies start another of the services: that one would start before its turn, and not by us.
  static func abilities(
    _ service: Configuration.Service, of configuration: Configuration, _ units: UnitControl
  ) throws(Failure) -> Set<CheckGroup>? {
    let details = try ServiceTask.working(UnitName(service.name), units)
    let others = Set(configuration.services.map { UnitName($0.name) }).subtracting(details.map(\.state.name))
    guard others.isDisjoint(with: details.flatMap { $0.wants + $0.requires }) else { return nil }
    let abilities = details.map(Abilities.init)
    guard !details.isEmpty, abilities.allSatisfy(\.isHeld), !details.contains(where: \.state.isActive) else {
      return nil
    }
    return abilities.reduce(into: []) { $0.formUnion($1.checks) }
  }

  /// Starts the units.
  /// - Parameter patience: seconds until they must be at the door.
  init(
    _ service: Configuration.Service, index: Int, making checks: Set<CheckGroup>, hold: DoorHold, patience: Double,
    units: UnitControl
  ) throws(Failure) {
    self.index = index
    self.hold = hold
    self.units = units
    waitingChecks = checks
    deadline = begunMonotonic + patience
    name = UnitName(service.name)
    let details = try ServiceTask.working(name, units)
    names = details.map(\.state.name)
    timeout = details.compactMap(\.startTimeoutMicroseconds).min().map { Double($0) / 1e6 }
    for unit in names { try units.resetFailed(unit) }
    job = try units.start(name)
    nextLook = begunMonotonic + Self.firstInterval
  }

  /// What it waits for beside the bus.
  var entry: pollfd { hold.entry }

  /// When it wants to look even if nothing has happened.
  var wakeUp: Double {
    switch phase {
    case .preparing: events.isEmpty ? min(nextLook, deadline) : 0
    case .held: limit
    case .ended: events.isEmpty ? .infinity : 0
    }
  }

  /// Goes on as far as it can. Job results must have been drained before.
  func advance() throws(Failure) -> ServicesEvent? {
    if !events.isEmpty { return events.removeFirst() }
    switch phase {
    case .preparing: try look()
    case .held: try giveUpInTime()
    case .ended: break
    }
    return events.isEmpty ? nil : events.removeFirst()
  }

  /// Lets the units listen.
  func open() throws(Failure) { try hold.open() }

  /// Has systemd stop the units, and lets go of them without opening.
  func shut() {
    // What has failed by itself is left as it is. Where systemd cannot be asked the units fail a moment later: what they wait for does
    // not open.
    if phase != .ended { try? stop() }
    hold.shut()
  }

  /// Stops the units. They only wait, so that takes a moment.
  private func stop() throws(Failure) {
    let deadline = Reactor.monotonic() + 5
    var jobs: [JobID] = []
    for unit in names { jobs.append(try units.stop(unit)) }
    // Not before systemd knows: whoever takes all back asks it again then.
    phase = .ended
    events = []
    for job in jobs { _ = try units.wait(for: job, until: deadline) }
    // Having been stopped while they waited is no failure of theirs.
    for unit in names { try units.resetFailed(unit) }
  }

  private func look() throws(Failure) {
    if jobResult == nil { jobResult = try units.result(of: job) }
    let arrived = hold.hasArrivals()
    if arrived { hasArrived = true }
    guard Reactor.monotonic() < deadline else { return try giveUpPreparing("it takes too long") }
    guard arrived || jobResult != nil || Reactor.monotonic() >= nextLook else { return }
    let now = Reactor.monotonic()
    nextLook = now + min(Self.interval, max(Self.firstInterval, now - begunMonotonic))
    let found = try units.details(of: names)
    let details = names.compactMap { found[$0] }
    tellChecks(details)
    details.forEach(hasten)
    if let down = details.first(where: \.state.isFailed) { return try failed(down) }
    if let jobResult, jobResult != "done", let own = details.first(where: { !$0.state.isActive }) {
      return try failed(own, job: jobResult)
    }
    let atDoor = details.filter(isAtDoor)
    let onTheWay = details.contains { $0.state.activeState == "activating" && !isAtDoor($0) }
    // Done, and yet it does not run: its conditions were against it.
    if jobResult == "done", !onTheWay,
      let down = details.first(where: {
        $0.state.activeState == "inactive" && $0.state.job == nil && !$0.hindrances.isEmpty
      })
    {
      return try failed(down, job: "done")
    }
    // One that is up without having been held was started by somebody else, a moment before.
    guard !atDoor.isEmpty && !onTheWay || jobResult != nil else { return }
    endChecks()
    phase = .held
    limit = Reactor.monotonic() + (timeout ?? .infinity) * 0.8
    let waiting = atDoor.map(\.state.name.rawValue)
    events.append(
      .prepared(
        door: index,
        detail: waiting.isEmpty
          ? "it was started by somebody else" : waiting.joined(separator: ", ") + " waits to be let in"))
  }

  /// Gives what the unit runs before it listens precedence over the services that start beside it: it is the longest way, and one
  /// processor is all that it can use. What it runs then is a process of its own again. Failing costs only time.
  private func hasten(_ unit: UnitDetails) {
    guard unit.controlPID > 0, unit.state.activeState == "activating" else { return }
    _ = setpriority(Int32(PRIO_PGRP.rawValue), id_t(unit.controlPID), -10)
  }

  private func isAtDoor(_ unit: UnitDetails) -> Bool {
    guard let last = unit.startPre.last else { return false }
    // systemd forgets how commands went when it reads its unit files anew.
    let isForgotten =
      hasArrived && unit.state.subState == "start-pre" && unit.startPre.allSatisfy { $0.beganMicroseconds == 0 }
    return last.path == Self.helper && (last.isRunning && isOfThisStart(last) || isForgotten)
  }

  /// What it waits for may never come, or never be seen. Nothing is lost but time.
  private func giveUpPreparing(_ why: String) throws(Failure) {
    // What it has said of its checks is still to be told.
    let said = events
    try stop()
    events = said
    endChecks()
    events.append(.prepared(door: index, detail: "\(why), and is started when all else is ready"))
  }

  /// It may have been early, or unlucky: gocryptfs refuses root a file now and then while it is busy. When its turn comes it is started
  /// once more, and that start counts.
  private func failed(_ unit: UnitDetails, job: String = "failed") throws(Failure) {
    try giveUpPreparing("\(unit.state.name.rawValue): \(ServiceTask.words(unit, job: job))")
  }

  /// systemd keeps what it knows of the start before.
  private func isOfThisStart(_ command: UnitCommand) -> Bool {
    Double(command.beganMicroseconds) / 1e6 >= begunMonotonic
  }

  private func tellChecks(_ details: [UnitDetails]) {
    guard waitingChecks.contains(.postfix), let unit = details.first(where: { $0.postfixCheck != nil }),
      let command = unit.postfixCheck, isOfThisStart(command), command.endedMicroseconds > 0
    else { return }
    waitingChecks.remove(.postfix)
    let finding =
      command.hasPassed
      ? Finding(sound: .postfix, "postfix check, made by \(unit.state.name), ends without an error")
      : Finding(
        .postfixRefuses, "postfix check: " + Self.reason(journal(unit.state.name)),
        hint: "run `postfix check` and correct what it complains about")
    events.append(.checked(.postfix, [finding]))
  }

  /// What has not been made by now never will be: told without a finding.
  private func endChecks() {
    for check in waitingChecks.sorted(by: { $0.rawValue < $1.rawValue }) { events.append(.checked(check, [])) }
    waitingChecks = []
  }

  /// The line that says why, out of what a unit wrote.
  static func reason(_ journal: [String]) -> String {
    let line = journal.first { $0.contains("fatal: ") || $0.contains("error: ") } ?? journal.last ?? "no reason given"
    return printable(line.prefix(300))
  }

  /// systemd would take the wait for a start that hangs, and the unit for a failed one.
  private func giveUpInTime() throws(Failure) {
    if Reactor.monotonic() >= limit { try stop() }
  }

  private func journal(_ unit: UnitName) -> [String] { UnitControl.journal(unit, sinceWall: begunWall - 1) }
}

extension UnitDetails {
  /// The unit's own `postfix check` before it listens.
  fileprivate var postfixCheck: UnitCommand? {
    startPre.first { command in
      command.path.split(separator: "/").last == "postfix" && command.arguments.dropFirst() == ["check"]
    }
  }
}
