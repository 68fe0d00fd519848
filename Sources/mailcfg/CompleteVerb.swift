import MailAccounts

/// Names for the completion of the shells, one a line.
func complete(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let kind = arguments.words[0]
  guard ["users", "domains", "aliases"].contains(kind) else { throw .usage("no such names", hint: nil) }
  let database = try host.database(.read)
  try accounts { () throws(AccountError) in
    switch kind {
    case "users": try database.users { output.visibleLine($0.email) }
    case "domains": try database.domains { output.visibleLine($0.name) }
    default:
      var last: String?
      try database.aliases { alias in
        if alias.source != last { output.visibleLine(alias.source) }
        last = alias.source
      }
    }
  }
}
