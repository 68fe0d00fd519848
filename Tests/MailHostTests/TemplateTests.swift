import Foundation
import Mustache
import TestSupport
import Testing

@testable import MailHost

struct TemplateTests {
  private func message(_ body: () throws(Template.Invalid) -> Void) -> String? {
    do throws(Template.Invalid) {
      try body()
      return nil
    } catch {
      return error.text
    }
  }

  @Test func valuesStandAsTheyAre() throws {
    let template = try Template("a = {{a}}\n{{#on}}\nb\n{{/on}}\n{{^on}}\nc\n{{/on}}\n", name: "x")
    #expect(try template.render(["a": "<\"&'>", "on": true], rowNames: [], name: "x") == "a = <\"&'>\nb\n")
    #expect(try template.render(["a": "", "on": false], rowNames: [], name: "x") == "a = \nc\n")
  }

  @Test func aTemplateThatIsNotClosedIsNamed() {
    let text = message { () throws(Template.Invalid) in _ = try Template("{{#a}}\n", name: "postfix/main.cf") }
    #expect(text?.hasPrefix("postfix/main.cf is no valid template: ") == true)
  }

  @Test func unknownValuesAreNamedAlsoWhereNothingWouldShowThem() throws {
    let template = try Template("{{#off}}{{hots_name}}{{/off}}{{#rows}}{{name}}{{/rows}}", name: "x")
    let text = message { () throws(Template.Invalid) in
      _ = try template.render(["off": false, "rows": [[String: Any]]()], rowNames: ["name"], name: "postfix/main.cf")
    }
    #expect(text == "postfix/main.cf asks for unknown values: hots_name")
  }

  @Test func aMissingTemplateIsNamed() throws {
    let host = try HostVariant.named("12")
    let text = message { () throws(Template.Invalid) in
      _ = try host.settings.render(on: host.facts) {
        $0 == "postfix/master.cf" ? nil : repositoryTemplate($0)
      }
    }
    #expect(text == "the template postfix/master.cf is missing")
  }

  /// Each template is of some file, so that none is forgotten there.
  @Test func everyTemplateIsUsed() throws {
    let directory = repositoryFile("templates")
    let names = FileManager.default.subpaths(atPath: directory.path) ?? []
    let templates = names.filter { $0.hasSuffix(".mustache") }.map { String($0.dropLast(9)) }
    let used = HostVariant.all.flatMap { host in host.settings.files(on: host.facts).map(\.template) }
    let relay = try RelaySettings(host: "mail.example.org", port: nil, login: "relay@example.org", administrator: nil)
      .render(on: "web1.home.example", templates: repositoryTemplate)
    #expect(Set(templates) == Set(used + relay.map(\.file.template)))
  }
}

/// Another program renders what we render from the same template and the same values, less its escapes of HTML.
@Test(arguments: [
  "a {{x}} b", "{{#on}}\nline {{x}}\n{{/on}}\nend\n", "{{^on}}no{{/on}}yes", "{{#rows}}<{{name}}>{{/rows}}",
  "{{#rows}}\n- {{name}} {{x}}\n{{/rows}}", "  {{#on}}  \n kept \n  {{/on}}", "{{! a remark }}\nx\n",
  "{{#off}}{{x}}{{/off}}",
  "p = a{{#rows}}, {{name}}{{/rows}};\n", "{{#on}}{{#off}}1{{/off}}{{^off}}2{{/off}}{{/on}}\n",
  "{{#none}}\nx\n{{/none}}\n{{^none}}\ny\n{{/none}}",
])
func theLibraryRendersTheSame(text: String) throws {
  let values: [String: Any] = [
    "x": "1 2", "on": true, "off": false, "rows": [["name": "n1"], ["name": "n2"]], "none": [[String: Any]](),
  ]
  let ours = try Template(text, name: "x").render(values, rowNames: ["name"], name: "x")
  #expect(try ours == renderedByTheLibrary(text, values))
}

@Test(arguments: HostVariant.all) func theLibraryRendersEveryFileTheSame(_ host: HostVariant) throws {
  var values = host.settings.values(on: host.facts)
  for file in try host.rendered() {
    values["header"] = file.file.header
    let template = try #require(repositoryTemplate(file.file.template))
    #expect(try file.source == renderedByTheLibrary(template, values), "\(file.file.path)")
  }
}

private func renderedByTheLibrary(_ text: String, _ values: [String: Any]) throws -> String {
  // In a line of its own: the text's first line may be a tag that takes its line with it.
  let template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}top\n" + text)
  let rendered = template.render(values)
  #expect(rendered.hasPrefix("top\n"))
  return String(rendered.dropFirst(4))
}
