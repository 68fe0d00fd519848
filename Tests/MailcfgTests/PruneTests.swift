import Foundation
import Testing

/// `import --prune`, which removes what the file does not have: never by mistake.
struct PruneTests {
  private func refused(_ file: String, _ contents: String, _ status: Int32, _ words: String, _ more: String...) throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    let path = mailcfg.directory + "/" + file
    try contents.write(toFile: path, atomically: true, encoding: .utf8)
    let run = try mailcfg.call(["import", path, "--prune", "--db", mailcfg.database] + more)
    #expect(run.status == status && run.output == "" && run.complaint.contains(words), "\(run)")
    #expect(try mailcfg.bytes() == before)
  }

  @Test func aListOfUsersIsNeverAllThereIs() throws {
    try refused("empty.csv", "email,password\n", 64, "CSV")
    try refused("one.csv", "email,password\njoe@example.org,geheim1\n", 64, "CSV", "--yes")
  }

  @Test(arguments: ["{}", #"{"domains": null, "users": null, "aliases": null}"#, #"{"users": [], "aliases": []}"#])
  func aListThatIsMissingIsNotAnEmptyOne(_ json: String) throws {
    try refused("accounts.json", json, 1, "all three lists")
    try refused("accounts.json", json, 1, "all three lists", "--yes")
  }

  @Test func everythingIsRemovedOnlyWhereThatIsSaid() throws {
    let nothing = #"{"domains": [], "users": [], "aliases": []}"#
    try refused("accounts.json", nothing, 1, "would remove all domains")
    try refused("accounts.json", #"{"domains": [{"name": "example.org"}], "users": [], "aliases": []}"#, 1, "all users")
    let mailcfg = try Mailcfg()
    let run = try mailcfg("import", "-", "--prune", "--yes", input: nothing)
    #expect(run.status == 0 && run.output == "imported: 0 added, 0 changed, 2 removed\n")
    #expect(try mailcfg("lsdom").output == "")
  }

  @Test func aDryRunShowsWhatWouldGo() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg(
      "import", "-", "--prune", "--dry-run", input: #"{"domains": [], "users": [], "aliases": []}"#)
    #expect(run.lines == ["- user joe@example.org", "- domain example.org"])
  }

  @Test func fewerAreRemovedWithoutAQuestionInAScript() throws {
    let mailcfg = try Mailcfg("INSERT INTO users VALUES (2, 1, 'x', 'ann@example.org', 1);")
    let file = mailcfg.directory + "/accounts.json"
    try #"{"domains": [{"name": "example.org"}], "users": [{"email": "ann@example.org"}], "aliases": []}"#
      .write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try mailcfg("import", file, "--prune").output == "imported: 0 added, 0 changed, 1 removed\n")
    #expect(try mailcfg("lsuser").output == "ann@example.org\n")
  }
}
