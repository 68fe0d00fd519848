import Glibc

/// Fills `bytes`, at most 256, from the kernel's generator: getentropy(3) is getrandom(2) that cannot give too few.
func fillWithRandomness(_ bytes: UnsafeMutableRawBufferPointer) throws(PasswordError) {
  guard getentropy(bytes.baseAddress!, bytes.count) == 0 else { throw .noRandomness(errno) }
}

/// A new salt; it is no secret.
func randomSalt(count: Int = 16) throws(PasswordError) -> [UInt8] {
  var salt = [UInt8](repeating: 0, count: count)
  try salt.withUnsafeMutableBufferPointer { (bytes) throws(PasswordError) in
    try fillWithRandomness(UnsafeMutableRawBufferPointer(bytes))
  }
  return salt
}
