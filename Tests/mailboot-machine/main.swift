import Foundation
import MachineKit

let arguments = Array(CommandLine.arguments.dropFirst())
do {
  exit(try await Command.parse(arguments).perform())
} catch let error as UsageError {
  Command.say("error: \(error.what)\n\n\(Command.usage)")
  exit(64)
} catch {
  Command.say("error: \(error)")
  exit(1)
}
