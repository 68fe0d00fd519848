import Glibc
import Linux

/// A call over D-Bus that did not work, or a bus that could not be reached.
public struct BusError: Error, Sendable, CustomStringConvertible {
  /// The D-Bus error name, such as `org.freedesktop.systemd1.NoSuchUnit`; empty when the failure is our side's.
  public let name: String
  /// What systemd said, or the text of `errno`.
  public let message: String
  /// A positive `errno` value.
  public let errno: Int32
  /// What was being done, such as `StartUnit postfix.service`.
  public let operation: String
  /// Neither systemd's own socket nor the system bus could be reached.
  public let isNoBus: Bool

  init(name: String = "", message: String, errno: Int32, operation: String, isNoBus: Bool = false) {
    self.name = name
    self.message = message
    self.errno = errno
    self.operation = operation
    self.isNoBus = isNoBus
  }

  /// A negative return value of libsystemd.
  init(code: Int32, operation: String, isNoBus: Bool = false) {
    self.init(message: errnoText(-code), errno: -code, operation: operation, isNoBus: isNoBus)
  }

  public var description: String { "\(operation): \(message)" }

  /// There is no such unit.
  public var isNoSuchUnit: Bool { name == "org.freedesktop.systemd1.NoSuchUnit" }
  /// A transient unit was asked for under a name that a loaded unit has.
  public var isUnitExists: Bool { name == "org.freedesktop.systemd1.UnitExists" }
  /// A signal was for a process that the unit does not have.
  public var isNoSuchProcess: Bool { errno == ESRCH || name == "org.freedesktop.systemd1.NoSuchProcess" }
  /// Another connection has the name that was requested.
  public var isNameTaken: Bool { errno == EEXIST && name.isEmpty }
  /// Nobody has the name or connection a call was for.
  public var isNoOwner: Bool {
    name == "org.freedesktop.DBus.Error.NameHasNoOwner" || name == "org.freedesktop.DBus.Error.ServiceUnknown"
  }
  /// The other side went away before it answered.
  public var isNoReply: Bool { name == "org.freedesktop.DBus.Error.NoReply" }
  /// The caller may not do this.
  public var isAccessDenied: Bool {
    errno == EACCES || errno == EPERM || name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
  }
  /// systemd went away while connected, as it does for a moment at `daemon-reexec`; a new connection may work.
  public var isDisconnected: Bool { [ENOTCONN, ECONNRESET, EPIPE, ESHUTDOWN].contains(errno) && !isNoBus }
  /// No reply within the call timeout.
  public var isTimeout: Bool { errno == ETIMEDOUT }
}

/// Passes on a result of libsystemd, which returns `-errno`, or throws it.
@discardableResult
func checked(_ result: Int32, _ operation: @autoclosure () -> String) throws(BusError) -> Int32 {
  if result < 0 { throw BusError(code: result, operation: operation()) }
  return result
}
