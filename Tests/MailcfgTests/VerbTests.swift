import Foundation
import Testing

/// What each verb prints, how it ends, and what is in the database afterwards.
struct VerbTests {
  @Test func aDomainIsAddedOnce() throws {
    let mailcfg = try Mailcfg()
    let added = try mailcfg("adddom", " Example.NET ")
    #expect(added.status == 0 && added.output == "added domain\n")
    let again = try mailcfg("adddom", "example.net")
    #expect(again.status == 0 && again.output == "")
    #expect(try mailcfg.rows("SELECT name FROM domains") == ["example.org", "example.net"])
  }

  @Test func aUserIsAddedWithThePasswordFromStandardInput() throws {
    let mailcfg = try Mailcfg()
    let added = try mailcfg("adduser", "Ann@Example.org", "--stdin", input: "geheim\n")
    #expect(added.status == 0 && added.output == "added user\n" && added.complaint == "")
    #expect(try mailcfg("verify", "ann@example.org", "--stdin", input: "geheim").status == 0)
    let wrong = try mailcfg("verify", "ann@example.org", "--stdin", input: "geheim\n\n")
    #expect(wrong.status == 1, "only one newline is dropped")
    #expect(try mailcfg.rows("SELECT email, active FROM users WHERE id=2") == ["ann@example.org|1"])
  }

  @Test func aGeneratedPasswordIsTheFirstLineAndWorks() throws {
    let mailcfg = try Mailcfg()
    let added = try mailcfg("--generate", "adduser", "ann@example.org")
    #expect(added.status == 0 && added.lines.count == 2 && added.lines.last == "added user")
    let password = try #require(added.lines.first)
    #expect(password.count >= 16)
    #expect(try mailcfg("verify", "ann@example.org", "--stdin", input: password).status == 0)
  }

  @Test func aPasswordAmongTheArgumentsWorksWithAWarning() throws {
    let mailcfg = try Mailcfg()
    let changed = try mailcfg("passwd", "joe@example.org", "geheim")
    #expect(changed.status == 0 && changed.output == "password updated\n")
    #expect(changed.complaint.hasPrefix("warning: "))
    #expect(try mailcfg("verify", "joe@example.org", "--stdin", input: "geheim").status == 0)
  }

  @Test(arguments: ["ARGON2ID", "BLF-CRYPT", "SHA512-CRYPT", "argon2id"])
  func thePasswordIsHashedByTheChosenScheme(_ scheme: String) throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("passwd", "joe@example.org", "--stdin", "--scheme", scheme, input: "geheim").status == 0)
    let stored = try mailcfg.rows("SELECT password FROM users")
    #expect(stored.first?.hasPrefix("{\(scheme.uppercased())}") == true)
    #expect(try mailcfg("verify", "joe@example.org", "--stdin", input: "geheim").status == 0)
  }

  @Test func aUserThatIsThereIsLeftAlone() throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    let again = try mailcfg("adduser", "joe@example.org", "--stdin", input: "other")
    #expect(again.status == 0 && again.output == "" && again.complaint.contains("is there already"))
    #expect(try mailcfg.bytes() == before)
  }

  @Test func aUserIsDisabledAndEnabledOnce() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("disable", "JOE@example.org").output == "disabled user\n")
    #expect(try mailcfg("disable", "joe@example.org").output == "")
    #expect(try mailcfg("verify", "joe@example.org", "--stdin", input: "secret").status == 1)
    #expect(try mailcfg("lsuser").output == "joe@example.org (DISABLED)\n")
    #expect(try mailcfg("enable", "joe@example.org").output == "enabled user\n")
    #expect(try mailcfg("enable", "joe@example.org").status == 0)
    #expect(try mailcfg("lsuser").output == "joe@example.org\n")
  }

  @Test func limitsAreSetAndTakenBack() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("set", "joe@example.org", "--send-only", "--quota=2G").output == "changed user\n")
    #expect(try mailcfg("lsuser", "--format", "tsv").output == "1\tjoe@example.org\t1\t0\t1\t2147483648\texample.org\n")
    #expect(try mailcfg("set", "joe@example.org", "--normal", "--quota", "none").output == "changed user\n")
    #expect(try mailcfg("set", "joe@example.org", "--normal").output == "")
    #expect(try mailcfg("lsuser", "--format", "tsv").output == "1\tjoe@example.org\t1\t1\t1\t\texample.org\n")
  }

  @Test func anAliasIsAddedListedAndRemoved() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("addalias", "info@example.org", "joe@example.org,ann@elsewhere.net").output == "added alias\n")
    #expect(
      try mailcfg("lsalias").output
        == "1\tinfo@example.org\tann@elsewhere.net\n2\tinfo@example.org\tjoe@example.org\n"
        || mailcfg("lsalias").output
          == "2\tinfo@example.org\tann@elsewhere.net\n1\tinfo@example.org\tjoe@example.org\n"
    )
    #expect(try mailcfg("rmalias", "-id", "1").output == "deleted alias\n")
    #expect(try mailcfg("rmalias", "info@example.org").output == "deleted alias\n")
    let again = try mailcfg("rmalias", "info@example.org")
    #expect(again.status == 1 && again.complaint.hasPrefix("error: "))
  }

  @Test func aDomainGoesWithWhatBelongsToIt() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (1, 1, 'info@example.org', 'joe@example.org');")
    let removed = try mailcfg("rmdom", "example.org")
    #expect(removed.status == 0 && removed.output == "deleted domain\n")
    #expect(removed.complaint.contains("- user joe@example.org") && removed.complaint.contains("- alias info@"))
    #expect(try mailcfg.rows("SELECT count(*) FROM users UNION ALL SELECT count(*) FROM aliases") == ["0", "0"])
    #expect(try mailcfg("rmdom", "example.org").status == 1)
  }

  @Test func aUserIsRemovedOnce() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("rmuser", "joe@example.org", "--yes").output == "deleted user\n")
    #expect(try mailcfg("rmuser", "joe@example.org", "--yes").status == 1)
  }

  @Test func whatIsExportedCanBeImported() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (1, 1, 'info@example.org', 'joe@example.org');")
    let export = try mailcfg("export")
    let file = mailcfg.directory + "/accounts.json"
    try export.output.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try mailcfg("import", file).output == "")
    let other = mailcfg.directory + "/other.sqlite3"
    #expect(FileManager.default.createFile(atPath: other, contents: nil))
    let imported = try mailcfg.call(["import", file, "--db", other])
    #expect(imported.status == 0 && imported.output == "imported: 3 added, 0 changed, 0 removed\n")
    #expect(try mailcfg.call(["export", "--db", other]).output == export.output)
    #expect(try mailcfg("export", "--no-passwords").output.contains("secret") == false)
  }

  @Test func aListOfUsersIsImportedFromCSV() throws {
    let mailcfg = try Mailcfg()
    let imported = try mailcfg(
      "import", "-", "--format", "csv", input: "email,password,quota\nann@example.org,geheim,1M\n")
    #expect(imported.status == 0 && imported.output == "imported: 1 added, 0 changed, 0 removed\n")
    #expect(try mailcfg("verify", "ann@example.org", "--stdin", input: "geheim").status == 0)
  }

  @Test func theSameListOfPasswordsChangesNothingTheSecondTime() throws {
    let mailcfg = try Mailcfg()
    let list = "email,password,quota\nann@example.org,geheim,1M\n"
    #expect(
      try mailcfg("import", "-", "--format", "csv", input: list).output == "imported: 1 added, 0 changed, 0 removed\n")
    #expect(try mailcfg("import", "-", "--format", "csv", input: list).output == "")
    let other = list.replacingOccurrences(of: "geheim", with: "anders")
    #expect(
      try mailcfg("import", "-", "--format", "csv", input: other).output == "imported: 0 added, 1 changed, 0 removed\n")
    #expect(try mailcfg("verify", "ann@example.org", "--stdin", input: "anders").status == 0)
  }

  @Test func quotasAndAliasesAreImportedFromCSV() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("import", "-", "--format", "csv", input: "email;quota\njoe@example.org;2G\n").status == 0)
    #expect(try mailcfg("lsuser", "--format", "tsv").output.contains("\t2147483648\t"))
    let aliases = "src,dst\ninfo@example.org,joe@example.org\nsales@new.example,joe@example.org\n"
    let refused = try mailcfg("import", "-", "--format", "csv", input: aliases)
    #expect(refused.status == 1 && refused.complaint.contains("sales@new.example"), "\(refused.complaint)")
    #expect(
      try mailcfg("import", "-", "--format", "csv", "--create-domain", input: aliases).output
        == "imported: 3 added, 0 changed, 0 removed\n")
    #expect(try mailcfg("lsalias").lines.count == 2)
  }

  @Test func allOfADomainLeadsToAllOfAnother() throws {
    let mailcfg = try Mailcfg("INSERT INTO domains VALUES (2, 'old.example');")
    #expect(try mailcfg("addalias", "@old.example", "@example.org").output == "added alias\n")
    #expect(try mailcfg("addalias", "x@example.org", "x@old.example").complaint.contains("round in circles"))
    let refused = try mailcfg("addalias", "*@old.example", "joe@example.org")
    #expect(refused.status == 64 && refused.complaint.contains("written @old.example"))
  }

  @Test func aBackupIsACopyInANewFile() throws {
    let mailcfg = try Mailcfg()
    let copy = mailcfg.directory + "/copy"
    #expect(try mailcfg("backup", copy).status == 0)
    #expect(try mailcfg.call(["lsuser", "--db", copy]).output == "joe@example.org\n")
    #expect(try mailcfg("backup", copy).status == 1, "an existing file is never overwritten")
  }

  @Test func oldSchemesAreReported() throws {
    let mailcfg = try Mailcfg()
    #expect(try mailcfg("schemes").output == "joe@example.org\tPLAIN\told\n")
    #expect(try mailcfg("passwd", "joe@example.org", "--stdin", input: "geheim").status == 0)
    #expect(try mailcfg("schemes").output == "")
  }

  @Test func mistakesAreFound() throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (1, 1, 'info@example.org', 'nobody@example.org');")
    let check = try mailcfg("check")
    #expect(check.status == 1 && check.output.contains("dead-end"))
    #expect(try mailcfg("check", "--format", "json").output.contains("\"kind\":\"dead-end\""))
  }

  @Test(arguments: [
    ["adddom", "example.net"], ["adduser", "ann@example.org", "--generate"], ["addalias", "a@example.org", "b@c.net"],
    ["passwd", "joe@example.org", "--generate"], ["disable", "joe@example.org"], ["rmuser", "joe@example.org"],
    ["rmdom", "example.org"], ["set", "joe@example.org", "--quota", "1G"], ["rmalias", "info@example.org"],
  ])
  func aDryRunShowsTheChangeAndMakesNone(_ call: [String]) throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (7, 1, 'info@example.org', 'joe@example.org');")
    let before = try mailcfg.bytes()
    let run = try mailcfg.call(call + ["--dry-run", "--db", mailcfg.database])
    #expect(run.status == 0)
    #expect(!run.lines.isEmpty && run.lines.allSatisfy { ["+ ", "- ", "~ "].contains($0.prefix(2)) })
    #expect(try mailcfg.bytes() == before)
  }
}
