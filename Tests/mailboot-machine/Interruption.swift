import Dispatch
import Foundation
import MachineKit

/// Switches a machine off and removes its disks when this program is told to end: what uses the machine then fails.
struct Interruption {
  private let guest: any Guest
  private let sources: [any DispatchSourceSignal]

  init(closing guest: any Guest) {
    self.guest = guest
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { guest.close() }
      source.resume()
      return source
    }
  }

  /// Closes the machine, and lets signals end this program again.
  func end() {
    guest.close()
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }
}
