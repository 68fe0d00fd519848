import CSystemd
import Glibc

/// Who is at the other end of a connection, as the bus daemon knows from the socket.
public struct BusPeer: Sendable, Equatable {
  /// The effective user ID when it connected.
  public let uid: UInt32
  /// The process that connected; nil when the daemon cannot tell.
  public let pid: UInt32?

  public init(uid: UInt32, pid: UInt32?) {
    self.uid = uid
    self.pid = pid
  }
}

extension BusEndpoint {
  private static let daemon = "org.freedesktop.DBus"

  /// The name that the daemon gave this connection, such as `:1.42`.
  public func uniqueName() throws(BusError) -> String {
    var name: UnsafePointer<CChar>?
    try checked(sd_bus_get_unique_name(transport.raw, &name), "unique name")
    return name.map { String(cString: $0) } ?? ""
  }

  /// Takes a well-known name for this connection, until it ends.
  ///
  /// - Throws: `isNameTaken` when another connection has it, `isAccessDenied` when the bus policy does not give it to us.
  public func requestName(_ name: String) throws(BusError) {
    let result = sd_bus_request_name(transport.raw, name, 0)
    // We have it already.
    if result == -EALREADY { return }
    if result == -EEXIST {
      throw BusError(message: "another process has this name", errno: EEXIST, operation: "RequestName \(name)")
    }
    try checked(result, "RequestName \(name)")
  }

  /// Gives a well-known name back.
  public func releaseName(_ name: String) throws(BusError) {
    try checked(sd_bus_release_name(transport.raw, name), "ReleaseName \(name)")
  }

  /// The unique name of the connection that has a name; nil when nobody has it. Starts no service.
  public func owner(of name: String) throws(BusError) -> String? {
    do {
      return try callDaemon("GetNameOwner", name).readString()
    } catch {
      guard error.isNoOwner else { throw error }
      return nil
    }
  }

  /// Who is behind a unique or well-known name.
  ///
  /// For a decision about a well-known name ask for its `owner(of:)`, then for that one's peer, and talk to that one: the
  /// well-known name may change hands.
  /// - Throws: `isNoOwner` when nobody has the name (any more).
  public func peer(of name: String) throws(BusError) -> BusPeer {
    let credentials = try callDaemon("GetConnectionCredentials", name).readDictionary()
    guard let uid = credentials["UnixUserID"]?.number else {
      throw BusError(
        message: "the bus daemon does not know the user", errno: ENODATA, operation: "credentials of \(name)")
    }
    return BusPeer(
      uid: UInt32(truncatingIfNeeded: uid), pid: credentials["ProcessID"]?.number.map { UInt32(truncatingIfNeeded: $0) }
    )
  }

  // MARK: Match rules

  /// Asks for the signals that a match rule of the D-Bus specification describes, such as
  /// `type='signal',interface='org.mailboot1.Manager'`.
  ///
  /// Asked for twice, a rule must be removed twice.
  public func addMatch(_ rule: String) throws(BusError) { _ = try callDaemon("AddMatch", rule) }

  /// Takes back a rule, in the same words.
  public func removeMatch(_ rule: String) throws(BusError) { _ = try callDaemon("RemoveMatch", rule) }

  private func callDaemon(_ method: String, _ argument: String) throws(BusError) -> IncomingReply {
    try call(Self.daemon, "/org/freedesktop/DBus", Self.daemon, method, [.string(argument)])
  }
}
