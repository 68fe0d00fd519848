import MailAccounts

/// Has a request done, says what to know about it, and prints the verb's line when something changed: with a dry run, the changes.
/// - Returns: what was changed, or would be.
@discardableResult
func perform(
  _ request: Request, on database: borrowing AccountDatabase, _ arguments: Arguments, _ output: Output,
  says line: String?
) throws(Failure) -> [Change] {
  let isDryRun = arguments.has(.dryRun)
  let outcome = try accounts { () throws(AccountError) in try database.perform(request, dryRun: isDryRun) }
  for warning in outcome.warnings { warn(warning.description) }
  if isDryRun {
    for change in outcome.changes { output.visibleLine(change.line) }
  } else if let line, !outcome.changes.isEmpty {
    output.line(line)
  }
  return outcome.changes
}

/// Makes the directories of the domains that were added.
func makeDirectories(for changes: [Change], _ arguments: Arguments, _ host: inout Host) throws(Failure) {
  guard !arguments.has(.dryRun) else { return }
  let new = changes.compactMap { if case .addDomain(let name) = $0 { name } else { nil } }
  guard !new.isEmpty else { return }
  let directories = try host.directories()
  for problem in new.flatMap({ directories.make(domain: $0) }) { warn(problem) }
  warnAboutSigningKeys(of: new, try host.settings())
}
