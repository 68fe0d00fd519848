import Testing

@testable import MailbootHost

struct SwapReachTests {
  private static let none = "Filename\tType\tSize\tUsed\tPriority\n"
  private static let some = none + "/dev/vda2\tpartition\t1048572\t0\t-2\n"

  @Test(
    arguments: [
      (none, "cpu io memory pids\n", false), (some, "cpu io memory pids\n", false), (some, "cpu io pids\n", true),
      (some, nil, true), (none, nil, false), (nil, nil, false),
    ] as [(String?, String?, Bool)])
  func theKeyMayReachSwapThatNoControllerBounds(_ swaps: String?, _ controllers: String?, _ isInReach: Bool) {
    #expect(swapIsInReach(swaps: swaps, controllers: controllers) == isInReach)
  }
}
