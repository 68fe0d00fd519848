import CLinux
import Glibc
import JSON
import Linux
import MailbootCore
import Systemd

/// The bus object.
extension WaitService {
  static let methods = ["Unlock": "ha{sv}", "Lock": "a{sv}", "Verify": "", "Cancel": ""]

  static let introspection = """
    <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
     "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
    <node>
     <interface name="org.mailboot1.Manager">
      <method name="Unlock"><arg name="passphrase" type="h" direction="in"/><arg name="options" type="a{sv}" direction="in"/></method>
      <method name="Lock"><arg name="options" type="a{sv}" direction="in"/></method>
      <method name="Verify"/>
      <method name="Cancel"/>
      <signal name="Progress"><arg name="event" type="s"/></signal>
      <property name="State" type="s" access="read"/>
      <property name="Since" type="t" access="read"/>
      <property name="Version" type="s" access="read"><annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/></property>
      <property name="Status" type="s" access="read"/>
     </interface>
     <interface name="org.freedesktop.DBus.Properties">
      <method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>
      <method name="GetAll"><arg type="s" direction="in"/><arg type="a{sv}" direction="out"/></method>
      <signal name="PropertiesChanged"><arg type="s"/><arg type="a{sv}"/><arg type="as"/></signal>
     </interface>
     <interface name="org.freedesktop.DBus.Introspectable"><method name="Introspect"><arg type="s" direction="out"/></method></interface>
     <interface name="org.freedesktop.DBus.Peer"><method name="Ping"/><method name="GetMachineId"><arg type="s" direction="out"/></method></interface>
    </node>
    """

  /// An error's name on the bus.
  static func errorName(_ code: ExitCode) -> String {
    let name =
      switch code {
      case .passphrase: "PassphraseRefused"
      case .vault: "VaultFailed"
      case .mount: "MountFailed"
      case .verification: "VerificationFailed"
      case .service: "ServiceFailed"
      case .busy: "Busy"
      case .stillInUse: "StillInUse"
      case .usage: "InvalidRequest"
      case .notPermitted: "NotPermitted"
      case .configuration: "Configuration"
      case .interrupted: "Interrupted"
      case .done, .failure: "Failed"
      }
    return "\(interfacePrefix).\(name)"
  }
  static let interfacePrefix = "org.mailboot1.Error"
  static let tooSoon = "\(interfacePrefix).TooSoon"
  /// The service has ended before the run.
  static let left = "\(interfacePrefix).ServiceEnded"

  var properties: [String: BusValue] {
    let now = Reactor.monotonic()
    // How long it has waited is told to the second.
    if let rendered, report.waiting == nil || now - rendered.at < 1 { return rendered.properties }
    if let since = report.waiting?.since { report.waiting?.seconds = max(0, Reactor.wall() - since) }
    let properties: [String: BusValue] = [
      "State": .string(report.state.rawValue), "Since": .uint64(UInt64(max(0, report.since ?? 0) * 1e6)),
      "Version": .string(version), "Status": .string(report.json().rendered()),
    ]
    rendered = (properties, now)
    return properties
  }

  func emitStatus(changed stateChanged: Bool) {
    var changed = properties
    changed["Version"] = nil
    if !stateChanged { changed["State"] = nil }
    do {
      try endpoint.emitPropertiesChanged(Self.path, interface: Self.interface, changed)
    } catch {
      warn("the bus: \(error)")
    }
  }

  /// Messages that are dealt with before all else gets its turn: whoever floods the bus holds up nothing but the bus.
  private static let messagesPerTurn = 32

  func readBus() {
    do throws(BusError) {
      for _ in 0..<Self.messagesPerTurn {
        guard let message = try endpoint.nextMessage() else { return }
        switch message {
        case .call(let call): handle(call)
        case .signal(let signal): if let event = try watcher.event(from: signal) { unitChanged(event) }
        case .reply: break
        }
      }
    } catch {
      // Without the bus we are of no use; systemd starts us anew when it is back.
      if error.isDisconnected {
        warn("the bus has gone: \(error)")
        metrics?.remove()
        exit(1)
      }
      warn("the bus: \(error)")
    }
  }

  private func handle(_ call: IncomingCall) {
    do throws(BusError) {
      guard let call = try object.answer(call, properties: { properties }) else { return }
      do throws(CallRefusal) {
        let caller = try caller(of: call)
        switch call.member {
        case "Unlock": try unlock(call, caller)
        case "Lock": try lock(call, caller)
        case "Verify": try verify(call, caller)
        default: try cancel(call, caller)
        }
      } catch {
        if error.isWorthNoting { warn("\(call.member) over the bus refused: \(error.text)") }
        try call.replyError(error.name, error.text)
      }
    } catch {
      warn("a call over the bus: \(error)")
    }
  }

  // MARK: Who calls

  struct Caller {
    var uid: UInt32
    var name: String
    /// The login behind it, which may be another: `sudo`.
    var login: String
  }

  struct CallRefusal: Error {
    var name: String
    var text: String
    var isWorthNoting = true
  }

  private func caller(of call: IncomingCall) throws(CallRefusal) -> Caller {
    let peer: BusPeer
    do {
      peer = try call.peer()
    } catch {
      throw CallRefusal(name: BusErrorName.failed, text: "cannot tell who calls: \(error)")
    }
    let name = userName(peer.uid)
    let login = peer.pid.flatMap { loginUser(of: $0) } ?? name
    guard peer.uid == 0 || isMember(peer.uid, of: Self.group) else {
      throw CallRefusal(
        name: BusErrorName.accessDenied, text: "\(name) is neither root nor in the group \(Self.group)")
    }
    return Caller(uid: peer.uid, name: name, login: peer.uid == 0 ? login : name)
  }

  // MARK: The methods

  private func unlock(_ call: IncomingCall, _ caller: Caller) throws(CallRefusal) {
    let descriptor = try Self.reading { () throws(BusError) in try call.readDescriptor() }
    var options = try Self.reading { () throws(BusError) in try call.readDictionary() }
    // Not fstat(2): it may ask whoever serves the file, such as a FUSE server of the caller's that never answers.
    let type = mb_type_of(descriptor.rawValue)
    guard type >= 0, mode_t(type) != S_IFDIR else {
      throw CallRefusal(name: BusErrorName.invalidArguments, text: "the descriptor is a directory, not a passphrase")
    }
    let asked = options.removeValue(forKey: "via")?.string.flatMap(UnlockSource.init(rawValue:)) ?? .bus
    // Of root's `mailboot` it is known. What anybody else says is not written into the journal as if it were.
    let source = caller.uid == 0 && [.terminal, .stdin, .keyFile].contains(asked) ? asked : .bus
    var arguments: [String] = asked == .keyFile ? ["--key-file"] : []
    if let value = options.removeValue(forKey: "no-start") {
      guard let flag = value.bool else { throw Self.invalid("no-start is a boolean") }
      if flag { arguments.append("--no-start") }
    }
    if let value = options.removeValue(forKey: "timeout") {
      guard let seconds = value.number, (0...86400).contains(seconds) else {
        throw Self.invalid("timeout is 0 to 86400 seconds")
      }
      arguments += ["--timeout", String(seconds)]
    }
    if let unknown = options.keys.min() { throw Self.invalid("there is no option \(unknown)") }
    let rest = callerDelays.remaining(for: caller.uid, at: Reactor.monotonic())
    guard rest <= 0 || report.vault.open && report.closedVaults.isEmpty else {
      throw CallRefusal(
        name: Self.tooSoon,
        text: "\(callerDelays.refused(of: caller.uid)) passphrases of \(caller.name) in a row were refused: "
          + "the next one is taken in \(Int(rest.rounded(.up))) s")
    }
    try start(
      .init(job: .unlock, source: source, by: caller.login, uid: caller.uid, arguments: arguments),
      input: descriptor.rawValue, call)
  }

  private func lock(_ call: IncomingCall, _ caller: Caller) throws(CallRefusal) {
    guard caller.uid == 0 else {
      throw CallRefusal(name: BusErrorName.accessDenied, text: "only root may lock")
    }
    var options = try Self.reading { () throws(BusError) in try call.readDictionary() }
    var arguments: [String] = []
    for option in ["kill", "emergency"] {
      guard let value = options.removeValue(forKey: option) else { continue }
      guard let flag = value.bool else { throw Self.invalid("\(option) is a boolean") }
      if flag { arguments.append("--\(option)") }
    }
    if let unknown = options.keys.min() { throw Self.invalid("there is no option \(unknown)") }
    try start(.init(job: .lock, by: caller.login, uid: caller.uid, arguments: arguments), input: nil, call)
  }

  /// Seconds between what members of the group have verified: while that goes on nobody can unlock or lock.
  private static let verifyInterval = 60.0

  private func verify(_ call: IncomingCall, _ caller: Caller) throws(CallRefusal) {
    let rest = membersVerifyEnded + Self.verifyInterval - Reactor.monotonic()
    guard caller.uid == 0 || rest <= 0 else {
      throw CallRefusal(
        name: Self.tooSoon, text: "it was verified just now: again in \(Int(rest.rounded(.up))) s", isWorthNoting: false
      )
    }
    try start(.init(job: .verify, by: caller.login, uid: caller.uid), input: nil, call)
  }

  /// Whoever has called takes back his own; another one's, or the service's, is none of his.
  private func cancel(_ call: IncomingCall, _ caller: Caller) throws(CallRefusal) {
    do {
      for run in runs where run.job == .unlock && run.call?.sender == call.sender { try run.interrupt() }
      try call.reply()
    } catch {
      throw CallRefusal(name: BusErrorName.failed, text: "\(error)")
    }
  }

  private static func reading<Value: ~Copyable>(_ read: () throws(BusError) -> Value) throws(CallRefusal) -> Value {
    do throws(BusError) { return try read() } catch { throw invalid("the arguments: \(error)") }
  }

  private static func invalid(_ text: String) -> CallRefusal {
    CallRefusal(name: BusErrorName.invalidArguments, text: text)
  }

  /// More at once than anybody needs, so that nobody can fill the machine with them: of root, and of all others together.
  private static let mostRuns = 4

  private func start(_ request: RunUnit.Request, input: Int32?, _ call: IncomingCall) throws(CallRefusal) {
    let called = runs.filter { $0.call != nil && ($0.uid == 0) == (request.uid == 0) }
    guard called.count < Self.mostRuns else {
      throw CallRefusal(name: Self.errorName(.busy), text: "\(called.count) runs are on their way already")
    }
    // One guess at a time, and nobody takes all the places.
    if let own = called.first(where: { $0.uid == request.uid && $0.uid != 0 }) {
      throw CallRefusal(name: Self.errorName(.busy), text: "\(own.by) has a run on its way already (\(own.unit))")
    }
    do throws(Failure) {
      try start(request, input: input, call: call)
    } catch {
      throw CallRefusal(name: Self.errorName(error.exitCode), text: error.summary)
    }
  }
}
