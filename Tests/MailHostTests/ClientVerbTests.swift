import Foundation
import TestSupport
import Testing

/// `mailhost client`: the page for a user of this host.
struct ClientVerbTests {
  @Test func aUserHasAPage() throws {
    let tree = try HostTree.applied()
    let said = try tree.mailhost(["client", "Alice@Example.org"])
    #expect(said.status == 0 && said.errors.isEmpty, "\(said)")
    #expect(said.output.hasPrefix("Mail account alice@example.org\n"))
    #expect(said.output.contains("  server      mail.example.org\n  port        993\n"))
  }

  @Test func whoIsNotThereHasNone() throws {
    let tree = try HostTree.applied()
    let said = try tree.mailhost(["client", "bob@example.org"])
    #expect(said.status == 1 && said.output.isEmpty)
    #expect(
      said.errors == "error: there is no user bob@example.org\nhint: `mailcfg adduser bob@example.org` adds one\n")
  }

  @Test func anAliasIsToldFromAUser() throws {
    let tree = try HostTree.applied()
    let said = try tree.mailhost(["client", "postmaster@example.org"])
    #expect(said.status == 1 && said.output.isEmpty)
    #expect(
      said.errors.hasPrefix(
        "error: there is no user postmaster@example.org: it is an alias, whose mail goes to alice@example.org\nhint: "))
  }

  @Test func whatIsNoAddressIsAWrongCall() throws {
    let tree = try HostTree.applied()
    #expect(try tree.mailhost(["client", "alice"]).status == 64)
  }

  @Test func aDisabledUserIsWarnedOf() throws {
    let tree = try HostTree.applied()
    try tree.sql("UPDATE users SET active=0")
    let said = try tree.mailhost(["client", "alice@example.org"])
    #expect(said.status == 0 && said.errors.hasPrefix("warning: alice@example.org is disabled"))
    #expect(said.output.hasPrefix("Mail account"))
  }

  @Test func withTheVaultLockedThePageIsGivenWithAWarning() throws {
    let tree = try HostTree()
    try tree.lockVault()
    let said = try tree.mailhost(["client", "alice@example.org"])
    #expect(said.status == 0)
    #expect(said.output.hasPrefix("Mail account alice@example.org\n"))
    #expect(
      said.errors == "warning: the vault is locked: whether there is a user alice@example.org cannot be looked up\n")
    #expect(try tree.mailhost(["client", "alice"]).status == 64)
  }

  @Test func withTheVaultLockedNothingIsPublished() throws {
    let tree = try HostTree()
    try tree.makeDirectory("/srv/web")
    try tree.lockVault("[web]\nroot = \"/srv/web\"\n")
    let said = try tree.mailhost(["client", "alice@example.org", "--publish"])
    #expect(said.status == 13 && said.output.isEmpty && said.errors.hasPrefix("error: the vault is locked: "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.path + "/srv/web") == [])
  }

  @Test func anOpenHostWithoutADatabaseIsToldSo() throws {
    let said = try HostTree().mailhost(["client", "alice@example.org"])
    #expect(said.status == 1 && said.errors.hasSuffix("\nhint: `mailhost apply` makes it\n"))
  }

  @Test func aProfileIsWrittenOnceAndNotOver() throws {
    let tree = try HostTree.applied()
    let file = tree.path + "/alice.mobileconfig"
    let words = ["client", "alice@example.org", "--format", "mobileconfig", "--output", file]
    #expect(try tree.mailhost(words).status == 0)
    let list = try PropertyListSerialization.propertyList(
      from: try #require(tree.data("/alice.mobileconfig")), format: nil)
    #expect((list as? [String: Any])?["PayloadDisplayName"] as? String == "alice@example.org")
    #expect(
      try tree.mailhost(["client", "alice@example.org", "--format", "mobileconfig"]).output
        == tree.text("/alice.mobileconfig"))
    let again = try tree.mailhost(words)
    #expect(again.status == 1 && again.errors.contains("File exists"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.path).filter { $0.contains("alice") }.count == 1)
  }

  @Test func itIsSignedWithTheCertificateOfTheSettings() throws {
    let tree = try HostTree.applied("[web]\n" + HostTree.signing)
    try tree.makeCertificate("a")
    let words = ["client", "alice@example.org", "--format", "mobileconfig", "--output", tree.path + "/signed"]
    let said = try tree.mailhost(words)
    #expect(said.status == 0, "\(said)")
    let opened = try run(
      "/usr/bin/openssl",
      [
        "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", tree.path + "/etc/a.pem", "-purpose", "any", "-in",
        tree.path + "/signed",
      ])
    #expect(opened.status == 0, "\(opened.said)")
    #expect(String(decoding: opened.output, as: UTF8.self).contains("<string>alice@example.org</string>"))
  }

  @Test func withoutItsKeyNothingIsWritten() throws {
    let tree = try HostTree.applied("[web]\n" + HostTree.signing)
    let said = try tree.mailhost(
      ["client", "alice@example.org", "--format", "mobileconfig", "--output", tree.path + "/signed"])
    #expect(said.status == 1 && said.errors.contains("hint: mobileconfig_certificate and mobileconfig_key in [web]"))
    #expect(tree.data("/signed") == nil)
  }

  @Test func withoutAWebRootThereIsNoCodeAndItIsSaidWhy() throws {
    let tree = try HostTree.applied()
    let said = try tree.mailhost(["client", "alice@example.org", "--qr"])
    #expect(said.status == 0 && !said.output.contains("█"))
    #expect(said.errors.hasPrefix("no QR code: there is no web root in the settings; "))
    #expect(try tree.mailhost(["client", "alice@example.org", "--qr", "--format", "json"]).status == 64)
  }

  @Test func aPublishedProfileIsLinkedAndDrawn() throws {
    let tree = try HostTree.applied("[web]\nroot = \"/srv/web\"\n")
    try tree.makeDirectory("/srv/web")
    let before = try tree.mailhost(["client", "alice@example.org", "--qr"])
    #expect(
      before.errors.hasPrefix("no QR code: the account's profile is not in the web root; --publish puts it there"))
    let said = try tree.mailhost(["client", "alice@example.org", "--qr", "--publish"])
    #expect(said.status == 0, "\(said)")
    let link = try #require(said.output.split(separator: "\n").first { $0.contains("https://") })
    #expect(link.hasPrefix("  https://autoconfig.mail.example.org/profiles/"))
    #expect(said.output.contains("█▀▀▀▀▀█"))
    let file = "/srv/web/profiles/" + (link.split(separator: "/").last ?? "")
    #expect(tree.text(file)?.contains("alice@example.org") == true && tree.mode(file) == 0o644)
    #expect(said.errors == "wrote \(file)\n")
    // Its link is now in every form of the page.
    #expect(
      try tree.mailhost(["client", "alice@example.org", "--format", "html"]).output.contains("<a href=\"https://"))
  }

  @Test func publishingItAgainChangesNothing() throws {
    for signing in ["", HostTree.signing] {
      let tree = try HostTree.applied("[web]\nroot = \"/srv/web\"\n" + signing)
      try tree.makeDirectory("/srv/web")
      try tree.makeCertificate("a")
      let words = ["client", "alice@example.org", "--publish"]
      let first = try tree.mailhost(words).errors
      let file = try #require(first.split(separator: " ").last).trimmingCharacters(in: .newlines)
      let written = tree.data(file)
      #expect(written != nil && first.hasPrefix("wrote "))
      #expect(try tree.mailhost(words).errors == "unchanged \(file)\n")
      #expect(tree.data(file) == written)
      if signing.isEmpty { continue }
      // Another certificate is another signature.
      try tree.makeCertificate("a")
      #expect(try tree.mailhost(words).errors == "wrote \(file)\n")
      #expect(tree.data(file) != written)
    }
  }
}
