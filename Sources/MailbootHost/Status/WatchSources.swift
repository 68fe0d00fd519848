import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// All that tells of this host's vault and services, without a privilege. systemd's links tell less than the bus, but also without it.
///
/// - Parameter warn: called with what cannot be watched.
public func standardWatchSources(
  _ configuration: Configuration, directory: RuntimeDirectory = RuntimeDirectory(), warn: (String) -> Void
) -> [any WatchSource] {
  var sources: [any WatchSource] = []
  do throws(Failure) { sources.append(try RunDirectoryWatch.make(directory)) } catch { warn(error.summary) }
  do throws(Failure) { sources.append(try MountTableWatch()) } catch { warn(error.summary) }
  do throws(Failure) { sources.append(try UnitLinks.watch(configuration)) } catch { warn(error.summary) }
  do throws(Failure) { sources.append(try BusWatch(configuration)) } catch { warn(error.summary) }
  return sources
}

/// The records of runs and of the service, and the end of either, which closes its lock.
enum RunDirectoryWatch {
  static func make(_ directory: RuntimeDirectory) throws(Failure) -> Inotify {
    try Inotify(directory: directory.path) {
      ["state.json", "lock", "service.json", "service.lock"].contains($0)
    }
  }
}

/// The kernel marks the mount table as changed; see proc(5).
final class MountTableWatch: WatchSource {
  private let descriptor: Int32

  init() throws(Failure) {
    descriptor = mb_open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw .system("/proc/self/mountinfo: \(errnoText())") }
  }

  deinit { close(descriptor) }

  var entry: pollfd { pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0) }

  /// The kernel takes its mark away when it is asked.
  func changed() -> Bool { true }
}

/// systemd keeps a link for each unit that is neither inactive nor failed: it comes with a start and goes with a stop, a crash or a
/// kill.
enum UnitLinks {
  static func watch(
    _ configuration: Configuration, links: String = "/run/systemd/units"
  ) throws(Failure) -> Inotify {
    try Inotify(directory: links) { name in
      let prefix = "invocation:"
      guard name.hasPrefix(prefix) else { return false }
      let unit = name.dropFirst(prefix.count)
      // An instance such as `postfix@-.service` may do the work of `postfix.service`.
      return configuration.services.map { UnitName($0.name).stem }.contains {
        unit == $0 + ".service" || unit.hasPrefix($0 + "@")
      }
    }
  }
}
