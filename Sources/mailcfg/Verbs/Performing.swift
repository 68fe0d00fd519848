import MailAccounts

/// A verb that changes accounts, or with `--dry-run` shows what it would change.
protocol ChangingVerb: Verb {
  var options: ChangeOptions { get }
}

extension ChangingVerb {
  /// Has a request done, says what to know about it, and prints the verb's line when something changed: with a dry run, the changes.
  /// - Returns: what was changed, or would be.
  @discardableResult
  func perform(
    _ request: Request, on accounts: borrowing AccountDatabase, _ output: Output, says line: String?
  ) throws(Failure) -> [Change] {
    let outcome = try withAccountErrors { () throws(AccountError) in
      try accounts.perform(request, dryRun: options.dryRun)
    }
    for warning in outcome.warnings { warn(warning.description) }
    if options.dryRun {
      for change in outcome.changes { output.visibleLine(change.line) }
    } else if let line, !outcome.changes.isEmpty {
      output.line(line)
    }
    return outcome.changes
  }

  /// Makes the directories of the domains that were added.
  func makeDirectories(for changes: [Change], _ host: inout Host) throws(Failure) {
    guard !options.dryRun else { return }
    let new = changes.compactMap { if case .addDomain(let name) = $0 { name } else { nil } }
    guard !new.isEmpty else { return }
    let directories = try host.directories()
    for problem in new.flatMap({ directories.make(domain: $0) }) { warn(problem) }
    warnAboutSigningKeys(of: new, try host.settings())
  }
}
