import MailAccounts

/// Why a verb ended early. `Complaint.swift` shows each with its remedy.
enum Failure: Error {
  /// The call was wrong.
  case usage(String, hint: Advice?)
  case accounts(AccountError)
  case failed(String, hint: Advice?)
  case notMounted(String)
  /// `mailboot` has shown what is wrong with the configuration.
  case configuration
  case interrupted
  /// Standard output could not be written to.
  case output(errno: Int32)
}

/// `body`, with the library's errors as failures of ours.
func withAccountErrors<Result: ~Copyable>(_ body: () throws(AccountError) -> Result) throws(Failure) -> Result {
  do {
    return try body()
  } catch {
    throw .accounts(error)
  }
}

/// `body`, with what is no name or address as a failure of ours.
func withNameErrors<Result>(_ body: () throws(NameError) -> Result) throws(Failure) -> Result {
  do {
    return try body()
  } catch {
    throw .accounts(.name(error))
  }
}
