/// The released version; the changelog and the package have the same.
enum Version {
  static let text = "0.1.0"
}
