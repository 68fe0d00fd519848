/// The released version; the changelog and the package have the same.
public enum Version {
  public static let text = "0.1.0"
}
