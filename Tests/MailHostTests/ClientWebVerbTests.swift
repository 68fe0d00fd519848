import Foundation
import MailHost
import TestSupport
import Testing

/// `mailhost web`: files for a web server.
struct ClientWebVerbTests {
  private static let root = "[web]\nroot = \"/srv/web\"\n"
  private static let files = (Autoconfig.paths + [MTASTSPolicy.path]).map { "/srv/web" + $0 }

  private func tree(_ more: String = "") throws -> HostTree {
    let tree = try HostTree.applied(Self.root + more)
    try tree.makeDirectory("/srv/web")
    return tree
  }

  @Test func theFilesAreWrittenOnce() throws {
    let tree = try tree()
    let said = try tree.mailhost(["web"])
    #expect(said.status == 0 && said.errors.isEmpty, "\(said)")
    for file in Self.files {
      #expect(said.output.contains("wrote \(file)\n"))
      #expect(tree.mode(file) == 0o644, "\(file)")
    }
    #expect(tree.mode("/srv/web/.well-known/autoconfig/mail") == 0o755)
    #expect(tree.text(Self.files[0])?.contains("<domain>example.org</domain>") == true)
    #expect(tree.text(Self.files[0]) == tree.text(Self.files[1]))
    #expect(tree.text(Self.files[2])?.contains("mode: testing\r\nmx: mail.example.org\r\n") == true)
    let again = try tree.mailhost(["web", "--show", "none"])
    #expect(again.status == 0 && again.output == "nothing to do: /srv/web is as it is to be\n")
  }

  @Test func theWebServersAndTheDNSGetTheirLines() throws {
    let tree = try tree()
    let all = try tree.mailhost(["web"]).output
    for line in [
      "    autoconfig.mail.example.org;", "  ServerName mta-sts.example.org",
      "mta-sts.example.org. IN CNAME mail.example.org.",
    ] {
      #expect(all.contains(line + "\n"), "\(line)")
    }
    // Alone, for a file.
    let dns = try tree.mailhost(["web", "--show", "dns"])
    #expect(
      dns.output.split(separator: "\n").allSatisfy { $0.contains(" IN ") } && dns.errors.hasPrefix("nothing to do"))
  }

  @Test func aNewDomainIsTakenUp() throws {
    let tree = try tree()
    try tree.mailhost(["web"])
    try tree.sql("INSERT INTO domains (name) VALUES ('example.net')")
    let said = try tree.mailhost(["web", "--show", "none"])
    #expect(said.output == "wrote \(Self.files[0])\nwrote \(Self.files[1])\n")
    #expect(
      tree.text(Self.files[0])?.contains("<domain>example.net</domain>\n    <domain>example.org</domain>\n") == true)
  }

  @Test func theDomainOfTheTestIsNobodys() throws {
    let tree = try tree()
    try tree.sql("INSERT INTO domains (name) VALUES ('mailhost-test.invalid')")
    #expect(try !tree.mailhost(["web"]).output.contains("invalid"))
    #expect(tree.text(Self.files[0])?.contains("invalid") == false)
  }

  @Test func aHostileDomainIsOnlyTextAndWarnedOf() throws {
    let tree = try tree()
    try tree.sql("INSERT INTO domains (name) VALUES ('x;}<script>' || char(10) || 'root /;')")
    let said = try tree.mailhost(["web"])
    #expect(said.status == 0 && said.errors.hasPrefix("warning: x;}<script>?root /; is no domain"))
    #expect(!said.output.contains("script"))
    #expect(tree.text(Self.files[0])?.contains("<domain>x;}&lt;script&gt;&#10;root /;</domain>") == true)
  }

  @Test func withoutAWebRootNothingIsMade() throws {
    let unset = try HostTree.applied()
    let said = try unset.mailhost(["web"])
    #expect(said.status == 1 && said.errors.hasPrefix("error: there is no web root in the settings\nhint: "))
    let tree = try HostTree.applied(Self.root)
    let missing = try tree.mailhost(["web"])
    #expect(missing.status == 1 && missing.output.isEmpty)
    #expect(
      missing.errors.hasPrefix("error: the web root /srv/web is not there, or is no directory; nothing was made\n"))
    #expect(!FileManager.default.fileExists(atPath: tree.path + "/srv"))
  }

  @Test func noLinkIsFollowed() throws {
    let tree = try tree()
    let elsewhere = try TemporaryDirectory()
    for name in ["mail", ".well-known"] {
      try FileManager.default.createSymbolicLink(
        atPath: tree.path + "/srv/web/" + name, withDestinationPath: elsewhere.path)
    }
    let said = try tree.mailhost(["web"])
    #expect(said.status == 1 && said.errors.contains("/srv/web/mail: is no directory, or a symbolic link"))
    #expect(try elsewhere.names() == [])
  }

  /// Nor is one in the place of the file itself: it is not what the link leads to that is replaced.
  @Test func aLinkInAFilesPlaceIsRefused() throws {
    let tree = try tree()
    try tree.makeDirectory("/srv/web/mail")
    try tree.write("/etc/precious", "mine\n")
    try FileManager.default.createSymbolicLink(
      atPath: tree.path + Self.files[0], withDestinationPath: tree.path + "/etc/precious")
    let said = try tree.mailhost(["web"])
    #expect(said.status == 1 && said.errors.contains("is a symbolic link"))
    #expect(tree.text("/etc/precious") == "mine\n" && tree.text(Self.files[2]) == nil)
  }

  @Test func anothersFileIsReplacedOnlyOnDemand() throws {
    let tree = try tree()
    for (file, text) in [(Self.files[0], "<clientConfig/>\n"), (Self.files[2], "version: STSv1\r\nmode: none\r\n")] {
      try tree.write(file, text)
      let refused = try tree.mailhost(["web"])
      #expect(refused.status == 2 && refused.errors.contains("hint: `--overwrite \(file)` replaces it"))
      #expect(tree.text(file) == text)
      #expect(try tree.mailhost(["web", "--overwrite", file]).status == 0)
      #expect(tree.text(file) != text)
    }
  }

  @Test func withTheVaultLockedTheDomainsAreThoseOfTheSettings() throws {
    let tree = try HostTree()
    try tree.makeDirectory("/srv/web")
    try tree.lockVault(Self.root)
    let said = try tree.mailhost(["web", "--show", "none"])
    #expect(
      said.status == 0 && said.errors.hasPrefix("note: the vault is locked: the domains are those of mailhost.toml"))
    #expect(tree.text(Self.files[0])?.contains("<domain>example.org</domain>") == true)
  }

  /// The settings know only the domains that the host began with.
  @Test func withTheVaultLockedNoDomainIsLost() throws {
    let tree = try tree()
    try tree.sql("INSERT INTO domains (name) VALUES ('example.net')")
    try tree.mailhost(["web"])
    let before = tree.text(Self.files[0])
    try FileManager.default.removeItem(atPath: tree.path + "/vault")
    try tree.lockVault(Self.root + "mta_sts = \"enforce\"\n")
    let said = try tree.mailhost(["web", "--show", "none"])
    #expect(said.output == "wrote \(Self.files[2])\n", "\(said)")
    #expect(said.errors.contains("stays until the vault is open") && tree.text(Self.files[0]) == before)
  }

  @Test func wrongModesAreMended() throws {
    let tree = try tree()
    try tree.mailhost(["web"])
    chmod(tree.path + Self.files[2], 0o600)
    #expect(try tree.mailhost(["web", "--show", "none"]).output == "wrote \(Self.files[2])\n")
    #expect(tree.mode(Self.files[2]) == 0o644)
  }
}
