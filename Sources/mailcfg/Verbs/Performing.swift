import MailAccounts

/// A verb that changes accounts, or with `--dry-run` shows what it would change.
protocol ChangingVerb: Verb {
  var options: ChangeOptions { get }
}

extension ChangingVerb {
  /// Has a request done, says what to know about it, and prints the verb's line when something changed: with a dry run, the changes.
  ///
  /// - Parameter agree: asked about what would be changed, and again when that has become something else; not with a dry run.
  /// - Returns: what was changed, or would be; nil when it was not agreed to.
  @discardableResult
  func perform(
    _ request: Request, on accounts: borrowing AccountDatabase, _ output: Output, says line: String?,
    agree: (Outcome) throws(Failure) -> Bool = { _ in true }
  ) throws(Failure) -> [Change]? {
    var refusal: Failure?
    let outcome = try withAccountErrors { () throws(AccountError) in
      try accounts.perform(request, dryRun: options.dryRun) { outcome in
        do throws(Failure) {
          return try agree(outcome)
        } catch {
          refusal = error
          return false
        }
      }
    }
    if let refusal { throw refusal }
    guard let outcome else { return nil }
    warn(of: outcome.warnings)
    if options.dryRun {
      for change in outcome.changes { output.visibleLine(change.line) }
    } else if let line, !outcome.changes.isEmpty {
      output.line(line)
    }
    return outcome.changes
  }

  func warn(of warnings: [Warning]) { for warning in warnings { mailcfg.warn(warning.advice, database) } }

  /// Makes the directories of the domains that were added.
  func makeDirectories(for changes: [Change]?, _ host: inout Host) throws(Failure) {
    let new = (changes ?? []).compactMap { change in
      switch change {
      case .addDomain(let name, _), .renameDomain(_, let name): name
      default: nil
      }
    }
    try makeDirectories(ofDomains: new, &host)
  }

  func makeDirectories(ofDomains new: [String], _ host: inout Host) throws(Failure) {
    guard !options.dryRun, !new.isEmpty else { return }
    let directories = try host.directories()
    for problem in new.flatMap({ directories.make(domain: $0) }) { mailcfg.warn(problem) }
    warnAboutSigningKeys(of: new, try host.settings())
  }
}
