import Linux

/// Whether the memory of a unit that is to stay out of the swap (`MemorySwapMax=0`) may be written there all the same: systemd can bound
/// that only where the kernel counts memory by control group (version 2).
func swapIsInReach(
  swaps: String? = readSmallText("/proc/swaps"),
  controllers: String? = readSmallText("/sys/fs/cgroup/cgroup.controllers")
) -> Bool {
  // The first line names the columns.
  let isThere = (swaps ?? "").split(separator: "\n").count > 1
  let isBounded = (controllers ?? "").split(whereSeparator: \.isWhitespace).contains("memory")
  return isThere && !isBounded
}
