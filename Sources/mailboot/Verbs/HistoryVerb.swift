import ArgumentParser
import CLinux
import Console
import Glibc
import JSON
import Linux
import MailbootCore
import MailbootHost
import Text

struct HistoryVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Past boots, unlocks and locks, from the journal.",
    discussion: "For root and the members of the groups adm and systemd-journal.")

  @OptionGroup var common: ConfigurationOption
  @Option(help: "text or json.")
  var format = OutputFormat.text
  @Option(help: ArgumentHelp("How many boots at most.", valueName: "n"))
  var boots = 10
  @Option(help: ArgumentHelp("Draw the last unlock into this file; - is standard output.", valueName: "file"))
  var svg: String?

  /// More than any ten boots have; the journal is read from its end.
  private static let newest = 5000

  func validate() throws {
    guard (1...1000).contains(boots) else { throw ValidationError("--boots takes 1 to 1000") }
  }

  func perform(_ terminal: Terminal) -> Status {
    do throws(Failure) {
      let history = History(try HistoryReader.entries(newest: Self.newest)).newest(boots)
      if let svg { return try draw(history, to: svg) }
      switch format {
      case .json: say(history.json().rendered())
      case .text:
        let lines = HistoryText(history: history).lines()
        for line in lines { say(visible(line)) }
        if lines.isEmpty { say("nothing is recorded in the journal") }
      }
      if history.boots.isEmpty && geteuid() != 0 {
        tell("warning: only root and the groups adm and systemd-journal see the machine's journal")
      }
      return ExitCode.done.rawValue
    } catch {
      return complain(error, Configuration(), terminal)
    }
  }

  private func draw(_ history: History, to path: String) throws(Failure) -> Status {
    guard let run = history.lastUnlock else {
      throw .system("no unlock is recorded in the journal that could be drawn")
    }
    let text = StepChart(run, host: hostName()).svg()
    if path == "-" { emit(text, to: 1) } else { try writeFile(path, with: text) }
    return ExitCode.done.rawValue
  }
}

/// Writes a file for whoever called us, in one step: another program never sees half of it.
///
/// What is there is replaced only if it is a regular file: through a symbolic link in a directory of somebody else's, root would
/// write wherever that somebody likes, and a device is not to become a file.
private func writeFile(_ path: String, with text: String) throws(Failure) {
  var status = stat()
  if lstat(path, &status) == 0, mb_s_isreg(status.st_mode) == 0 {
    throw .usage("\(path) is there and no regular file", hint: "name another file; `--svg -` writes to standard output")
  }
  do {
    try replaceFile(path, with: Array(text.utf8), temporary: "\(path).\(UInt64.random(in: 0 ... .max))")
  } catch {
    throw Failure(error)
  }
}
