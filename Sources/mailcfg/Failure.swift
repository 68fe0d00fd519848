import MailAccounts

/// Why a verb ended early. `Complaint.swift` shows each with its remedy.
enum Failure: Error {
  /// The call was wrong.
  case usage(String, hint: String?)
  case accounts(AccountError)
  case failed(String, hint: String?)
  case notMounted(String)
  /// Another program has shown what is wrong with the configuration, and ended with this code.
  case configuration(code: Int32)
  case interrupted
  /// Standard output could not be written to.
  case output(errno: Int32)
}

/// `body`, with the library's errors as failures of ours.
func accounts<Result: ~Copyable>(_ body: () throws(AccountError) -> Result) throws(Failure) -> Result {
  do {
    return try body()
  } catch {
    throw .accounts(error)
  }
}

/// `body`, with what is no name or address as a failure of ours.
func named<Result>(_ body: () throws(NameError) -> Result) throws(Failure) -> Result {
  do {
    return try body()
  } catch {
    throw .accounts(.name(error))
  }
}

enum ExitCode {
  static let done: Int32 = 0
  static let failed: Int32 = 1
  static let usage: Int32 = 64
  static let notPermitted: Int32 = 77
  static let configuration: Int32 = 78
  static let interrupted: Int32 = 130
}
