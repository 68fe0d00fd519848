/// Those options of crypttab(5) that say how a mapping is to be.
public struct ActivationOptions: Equatable, Sendable {
  /// For the library, beside those that the header stores.
  var flags: UInt32 = 0
  /// The only keyslot to try; nil: any.
  var keyslot: Int32?

  public init() {}

  /// Options that say something else are left out.
  public init(crypttab options: [String]) {
    for option in options {
      if option.hasPrefix("key-slot=") {
        keyslot = Int32(option.dropFirst("key-slot=".count))
      } else if let flag = Self.flags[option] {
        flags |= UInt32(flag)
      }
    }
  }

  /// `CRYPT_ACTIVATE_…`, macros with a cast.
  private static let flags = [
    "readonly": 1 << 0, "read-only": 1 << 0, "discard": 1 << 3, "same-cpu-crypt": 1 << 6,
    "submit-from-crypt-cpus": 1 << 7, "no-read-workqueue": 1 << 24, "no-write-workqueue": 1 << 25,
  ]
}
