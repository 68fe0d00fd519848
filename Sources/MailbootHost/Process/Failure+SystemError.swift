import Linux
import MailbootCore

extension Failure {
  public init(_ error: SystemError) { self = .system(error.text) }
}
