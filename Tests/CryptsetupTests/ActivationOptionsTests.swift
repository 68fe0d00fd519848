import Testing

@testable import Cryptsetup

@Suite struct ActivationOptionsTests {
  @Test func crypttabsOptionsBecomeTheLibrarysFlags() {
    let options = ActivationOptions(crypttab: [
      "luks", "discard", "noauto", "no-read-workqueue", "key-slot=3", "tries=2",
    ])
    #expect(options.flags == 1 << 3 | 1 << 24)
    #expect(options.keyslot == 3)
    #expect(ActivationOptions(crypttab: ["readonly"]).flags == 1)
    #expect(ActivationOptions(crypttab: ["luks", "noauto"]) == ActivationOptions())
  }
}
