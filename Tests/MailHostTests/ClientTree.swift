import Foundation
import TestSupport
import Testing

extension HostTree {
  /// With `mailhost apply` done: example.org, alice, and the aliases of every host.
  /// - Parameter tables: what else stands in its settings.
  static func applied(_ tables: String = "") throws -> HostTree {
    let tree = try HostTree()
    try tree.settings(tables)
    let said = try tree.mailhost(["apply"])
    #expect(said.status == 0, "\(said)")
    return tree
  }

  /// The same settings with a vault that nobody has opened.
  func lockVault(_ tables: String = "") throws {
    try settings(tables)
    let file = "/etc/mailboot/mailhost.toml"
    try write(file, (text(file) ?? "").replacingOccurrences(of: "vault_type = \"none\"", with: "vault_type = \"luks\""))
  }

  /// Lines of `[web]` with the certificate that `makeCertificate("a")` makes.
  static let signing = "mobileconfig_certificate = \"/etc/a.pem\"\nmobileconfig_key = \"/etc/a.key\"\n"

  func makeCertificate(_ name: String) throws {
    let made = try run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=mail.example.org",
        "-days", "30", "-keyout", "\(path)/etc/\(name).key", "-out", "\(path)/etc/\(name).pem",
      ])
    #expect(made.status == 0, "\(made.said)")
  }

  func sql(_ statement: String) throws {
    let said = try run("/usr/bin/sqlite3", [path + "/vault/maildb/maildb.sqlite3", statement])
    #expect(said.status == 0, "\(said.said)")
  }

  func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path + name, withIntermediateDirectories: true)
  }

  func data(_ name: String) -> Data? { FileManager.default.contents(atPath: path + name) }

  func mode(_ name: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path + name)[.posixPermissions]) as? Int
  }
}
