/// What executes the guest's instructions.
enum Accelerator: String, Sendable {
  case kvm
  case emulation = "tcg"

  /// qemu's options for it.
  var options: [String] {
    switch self {
    case .kvm: ["-accel", "kvm", "-cpu", "host"]
    case .emulation: ["-accel", "tcg,thread=multi", "-cpu", "max"]
    }
  }
}
