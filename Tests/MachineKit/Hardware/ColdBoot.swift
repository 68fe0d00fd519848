/// Boots that come to nothing through no fault of the guest's.
///
/// Emulated on several threads, a kernel now and then trips over its own patched code while it boots (seen: Linux 6.1 and 6.12 in qemu
/// 7.2, "sched_clock_cpu" on the second processor). Its console has a trace then, nothing of the guest's has run yet, and the next boot is
/// another one.
enum ColdBoot {
  static let attempts = 3

  /// Whether the kernel has tripped, by what its console shows.
  static func tripped(_ console: SerialConsole) -> Bool {
    let transcript = console.transcriptOfThisLife
    return transcript.contains("end trace") || transcript.contains("Kernel panic")
  }

  /// Boots until a boot comes to its end, or fails otherwise.
  /// - Parameter boot: one attempt, with its number from 1 on, and the consoles it is to use.
  static func repeated<Booted>(
    _ boot: (Int, [SerialConsole]) throws -> Booted, consoles makeConsoles: () -> [SerialConsole]
  ) throws -> Booted {
    var attempt = 1
    while true {
      let consoles = makeConsoles()
      do {
        return try boot(attempt, consoles)
      } catch {
        guard attempt < attempts, tripped(consoles[0]) else { throw error }
        attempt += 1
      }
    }
  }
}
