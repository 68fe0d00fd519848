import Dispatch
import Foundation
import MachineKit

/// Switches a machine off and removes its disks when this program is told to end: what uses the machine then fails.
struct Interruption {
  private let machine: Machine
  private let sources: [any DispatchSourceSignal]

  init(closing machine: Machine) {
    self.machine = machine
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { machine.close() }
      source.resume()
      return source
    }
  }

  /// Closes the machine, and lets signals end this program again.
  func end() {
    machine.close()
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }
}
