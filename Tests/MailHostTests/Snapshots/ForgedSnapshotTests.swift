import Foundation
import MailHost
import TestSupport
import Testing

/// `mailhost restore` of a snapshot that somebody has made who has the public key.
@Suite(.serialized)
struct ForgedSnapshotTests {
  private static let settings = "/etc/mailboot/mailhost.toml"

  @Test(arguments: [
    "/etc/cron.d/zz", "/etc/mailboot/notify.d/zz", "/etc/mailboot/zz.toml", "/vault/zz",
  ])
  func itsSettingsNameNoPlaces(_ place: String) throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let text = try #require(scene.tree.text(Self.settings))
    let said = try scene.restore(["settings", "--write"]) { snapshot in
      snapshot.set(
        "settings/mailhost.toml",
        text + "[smarthost]\nhost = \"a.example\"\npassword_file = \"\(place)\"\n[dovecot]\nextra = \"\(place)\"\n")
      snapshot.set("settings/smarthost-password", "* * * * * root id\n", modified: "2030-01-01T00:00:00Z")
      snapshot.set("settings/dovecot-extra.conf", "ALL ALL=(ALL) NOPASSWD: ALL\n")
    }
    #expect(said.status == 2, "\(said)")
    #expect(said.errors.contains("left out: \(place), which only the settings in the snapshot name"), "\(said)")
    let found = try told("/usr/bin/grep", ["-rlE", "root id|NOPASSWD", scene.tree.path])
    #expect(found.said.isEmpty, "\(found.said)")
  }

  @Test func onlyPlainFilesBesideTheSettingsComeUnnamed() {
    #expect(SnapshotPlaces.takesUnnamed("/etc/mailboot/smarthost"))
    for path in [
      "/etc/mailboot/../cron.d/zz", "/etc/mailboot/", "/etc/mailboot/..", "/etc/mailboot/.zz", "/etc/mailbootx/a", "",
      "/etc/mailboot//a", "/etc/mailboot/a\u{0}", "etc/mailboot/a", "/vault/a", "/etc/mailboot/a.toml",
    ] { #expect(!SnapshotPlaces.takesUnnamed(path), "\(path)") }
  }

  /// Nor where there are no settings here that could name others.
  @Test func onANewHostItHasNoPlacesButThoseOfTheSettings() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let text = try #require(scene.tree.text(Self.settings))
    try told("/bin/rm", ["-r", scene.tree.path + "/etc/mailboot"])
    let said = try scene.restore(["--write", "--overwrite", "settings"]) { snapshot in
      snapshot.set(
        "settings/mailhost.toml",
        text + "mail_dkim_root = \"/etc/cron.d\"\n[dovecot]\nextra = \"/etc/sudoers.d/zz\"\n")
      snapshot.set("settings/dovecot-extra.conf", "ALL ALL=(ALL) NOPASSWD: ALL\n")
      snapshot.set("keys/zz", "* * * * * root id\n")
    }
    #expect(said.status == 2, "\(said)")
    for path in ["/etc/cron.d", "/etc/sudoers.d"] {
      #expect(!FileManager.default.fileExists(atPath: scene.tree.path + path), "\(path)")
    }
  }

  @Test func whatIsThereInAPlaceThatItNamesNeedsAWord() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let text = try #require(scene.tree.text(Self.settings))
    try scene.tree.write("/etc/mailboot/tsig.key", "mine\n")
    try told("/usr/bin/touch", ["-d", "2001-01-01", scene.tree.path + "/etc/mailboot/tsig.key"])
    let said = try scene.restore(["settings", "--write"]) { snapshot in
      snapshot.set(
        "settings/mailhost.toml",
        text + "[smarthost]\nhost = \"a.example\"\npassword_file = \"/etc/mailboot/tsig.key\"\n")
      snapshot.set("settings/smarthost-password", "theirs\n", modified: "2030-01-01T00:00:00Z")
    }
    #expect(said.status == 2, "\(said)")
    #expect(scene.tree.text("/etc/mailboot/tsig.key") == "mine\n")
  }

  @Test func ownerAndModeAreThoseOfThePlace() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    let said = try scene.restore(["--write", "keys", "sieve"]) { snapshot in
      snapshot.set("sieve/x.sieve", "keep;\n", mode: 0o4755)
      snapshot.set("sieve/y.sieve", "keep;\n", mode: 0o600)
      snapshot.set("keys/zz", "x", mode: 0o666)
      snapshot.set("keys/yy", "x", mode: 0o2640, owner: "_rspamd")
      for index in snapshot.manifest.entries.indices where snapshot.manifest.entries[index].name == "keys" {
        snapshot.manifest.entries[index].mode = 0o777
      }
    }
    #expect(said.status == 0, "\(said)")
    func state(_ path: String) throws -> String {
      try told("/usr/bin/stat", ["-c", "%a %u:%g", scene.tree.path + path]).said
    }
    #expect(try state("/vault/sieve/x.sieve") == "640 5000:5000\n")
    #expect(try state("/vault/sieve/y.sieve") == "640 5000:5000\n", "the user of the mail has to read it")
    #expect(try state("/vault/dkim") == "750 990:990\n")
    for name in ["zz", "yy"] { #expect(try state("/vault/dkim/\(name)") == "640 990:990\n") }
  }

  /// What it says that it was changed after it was taken is not believed.
  @Test func nothingInItIsLaterThanItself() throws {
    let scene = try SnapshotTree()
    #expect(try scene.snapshot().status == 0)
    sleep(1)
    let text = try #require(scene.tree.text(Self.settings)) + "# edited\n"
    try scene.tree.write(Self.settings, text)
    for modified in ["2030-01-01T00:00:00Z", "z"] {
      let said = try scene.restore(["settings", "--write"]) { snapshot in
        snapshot.set("settings/mailhost.toml", text + "# theirs\n", modified: modified)
      }
      #expect(said.status == 2 && said.output.contains("  newer    \(Self.settings)\n"), "\(said)")
      #expect(scene.tree.text(Self.settings) == text)
    }
    let said = try scene.restore(["keys", "--write"]) { snapshot in
      snapshot.manifest.taken = "2099-01-01T00:00:00Z"
      snapshot.set("keys/later.txt", "x", modified: "2099-01-01T00:00:00Z")
    }
    #expect(said.status == 0, "\(said)")
    let seconds = try told("/usr/bin/stat", ["-c", "%Y", scene.tree.path + "/vault/dkim/later.txt"]).said
    #expect(try #require(Double(seconds.dropLast())) <= Date().timeIntervalSince1970)
  }
}
