import MailAccounts

func changePassword(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let source = try PasswordSource(arguments)
  let database = try host.database(.change)
  let typed = arguments.words[0]
  let user = try accounts { () throws(AccountError) in try database.storedPassword(of: typed).user }
  let password = try source.password(for: user.email)
  let hash = try password.hash(arguments, &host)
  let changes = try perform(.setPassword(user.email, hash), on: database, arguments, output, says: nil)
  if !arguments.has(.dryRun) && !changes.isEmpty {
    try password.showIfGenerated()
    output.line("password updated")
  }
}

func setActive(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let enables = arguments.verb == .enable
  try perform(
    .setActive(arguments.words[0], enables), on: try host.database(.change), arguments, output,
    says: enables ? "enabled user" : "disabled user")
}

func setLimits(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let change = try limitsChange(arguments)
  guard change != LimitsChange() else {
    throw .usage(
      "nothing is to be set", hint: "`mailcfg set EMAIL` with --send-only, --receive-only, --normal or --quota SIZE")
  }
  try perform(
    .setLimits(arguments.words[0], change), on: try host.database(.change), arguments, output, says: "changed user")
}

/// What the options say about limits.
func limitsChange(_ arguments: Arguments) throws(Failure) -> LimitsChange {
  let kinds = [Option.sendOnly, .receiveOnly, .normal].filter(arguments.has)
  guard kinds.count <= 1 else {
    throw .usage("--\(kinds[0].rawValue) and --\(kinds[1].rawValue) exclude each other", hint: nil)
  }
  var change = LimitsChange()
  if let kind = kinds.first {
    change.receives = kind != .sendOnly
    change.sends = kind != .receiveOnly
  }
  if let text = arguments[.quota] { change.quota = .some(try quota(text)) }
  return change
}

/// Bytes, with K, M, G or T for powers of 1024; nil for "none".
func quota(_ text: String) throws(Failure) -> Int64? {
  if text == "none" { return nil }
  let factors: [Character: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
  let factor = text.last.flatMap { factors[Character($0.uppercased())] }
  let digits = factor == nil ? text[...] : text.dropLast()
  let isPlain = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
  guard isPlain, let number = Int64(digits), number > 0 else { throw notASize(text) }
  let (bytes, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
  guard !overflow else { throw notASize(text) }
  return bytes
}

private func notASize(_ text: String) -> Failure {
  .usage("\"\(text)\" is no size", hint: "a size is a number of bytes such as 500M or 2G, or `none`")
}
