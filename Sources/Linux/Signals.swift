import CLinux
import Glibc

/// Whether this process ignores a signal, as `nohup` has it do. Also such a one pends while it is held.
public func isIgnored(_ signal: Int32) -> Bool {
  var action = sigaction()
  sigaction(signal, nil, &action)
  return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}
