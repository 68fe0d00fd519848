import Linux
import MailbootCore

/// What the key derivation may take without the kernel killing somebody: free memory, and our control group's rest.
/// Nil when nothing limits it that we can see.
func availableMemoryKiB() -> Int? {
  var limits: [Int] = []
  if let text = readSmallText("/proc/meminfo") {
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") || line.hasPrefix("SwapFree:") {
      let amount = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      if limits.isEmpty { limits = [amount] } else { limits[0] += amount }
    }
  }
  if let group = readSmallText("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) {
    var path = "/sys/fs/cgroup" + group.dropFirst(3)
    while path.count > "/sys/fs/cgroup".count {
      if let limit = readAttribute(path + "/memory.max").flatMap({ Int($0) }),
        let current = readAttribute(path + "/memory.current").flatMap({ Int($0) })
      {
        limits.append(max(0, limit - current) / 1024)
      }
      path = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }
  }
  return limits.min()
}

/// The machine's memory; nil: it cannot be read.
public func totalMemoryKiB() -> Int? {
  readSmallText("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }.flatMap {
    $0.split(separator: " ").dropFirst().first.flatMap { Int($0) }
  }
}

/// Fails when a key derivation needs more than there is.
func requireMemory(_ neededKiB: Int, device: String) throws(Failure) {
  guard let available = availableMemoryKiB(), neededKiB > available else { return }
  throw .vault(
    VaultFailure(.noMemory, "it needs \(neededKiB / 1024) MiB, and \(available / 1024) MiB are available"),
    device: device)
}
