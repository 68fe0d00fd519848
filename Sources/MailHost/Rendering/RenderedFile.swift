/// A file as it is to be.
public struct RenderedFile: Equatable, Sendable {
  public var file: HostFile
  /// With the notes that begin with `#?`, for ``Reasons``.
  public var source: String
  /// What is written to the host.
  public var text: String

  init(_ file: HostFile, source: String) {
    self.file = file
    self.source = source
    text = source.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#?") }
      .joined(separator: "\n")
  }
}

/// Where templates come from: the name without `.mustache`, to the text; nil when there is none.
public typealias TemplateSource = (String) -> String?

extension HostSettings {
  /// Every file of ours as it is to be on such a host.
  /// - Throws: when a template is missing or not valid, which is a fault of the installation.
  public func render(
    on host: HostFacts, templates: TemplateSource
  ) throws(Template.Invalid) -> [RenderedFile] {
    var values = values(on: host)
    var rendered: [RenderedFile] = []
    for file in files(on: host) {
      guard let text = templates(file.template) else {
        throw Template.Invalid(text: "the template \(file.template) is missing")
      }
      values["header"] = file.header
      let template = try Template(text, name: file.template)
      rendered.append(
        RenderedFile(file, source: try template.render(values, rowNames: Self.rowNames, name: file.template)))
    }
    return rendered
  }
}

extension HostFile {
  /// The first lines, which say whose it is.
  var header: String {
    "\(syntax.comment) Written by `mailhost apply` from /etc/mailboot/mailhost.toml: change that. What is edited here, the next\n"
      + "\(syntax.comment) `mailhost plan` notices and asks about. `mailhost explain KEY` tells more of a setting."
  }
}
