import Console
import Linux
import MailHost

/// Takes what an administrator has edited in a file into the settings: `apply --adopt FILE`.
struct EditAdoption {
  static let dropIn = "/etc/mailboot/mailhost.toml.d/90-adopted.toml"

  let work: HostWork
  let terminal: Terminal

  func adopt(_ path: String) throws(HostFailure) {
    guard let file = work.files.first(where: { $0.file.path == path })?.file else {
      throw HostFailure(.usage, "\(path) is none of the files that mailhost writes", hint: "`mailhost plan` lists them")
    }
    let (there, written) = try explained { () throws(SystemError) in
      (
        try work.root.read(path),
        try work.store.current().flatMap { generation throws(SystemError) in
          try work.store.text(path, of: generation.number)
        }
      )
    }
    guard let there, let written else {
      throw HostFailure(
        .failed, "\(path) was never written by mailhost", hint: "`mailhost adopt` takes a whole host over")
    }
    let overrides = adoptedOverrides(file, onDisk: there.text, lastWritten: written)
    guard overrides.rest.isEmpty else {
      throw HostFailure(
        .undecided, "not everything in \(path) can be said in mailhost.toml", evidence: overrides.rest,
        hint: "--keep \(path) leaves it as it is; --overwrite \(path) keeps yours in the history only")
    }
    let text = overrides.dropIn(keeping: work.settings.own, of: work.root.path(Self.dropIn))
    try explained { () throws(SystemError) in
      try work.root.write(
        Self.dropIn, Array(text.utf8), Generation.Attributes(mode: 0o644, owner: "root", group: "root"))
    }
    tell("  \(Self.dropIn) has the edited lines of \(path)")
  }
}
