import TestSupport
import Testing

@testable import MailbootHost

struct RspamdFilesTests {
  private func signing(_ files: [String: String]) throws -> String? {
    let directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(name, text) }
    return RspamdFiles(root: directory.path, dynamic: directory.file("dynamic")).signing
  }

  private static let plain = """
    # keys are in the vault
    path = "/vault/dkim/$domain.$selector.key";
    selector = "202001"; # since then
    use_esld = false
    """

  @Test func aFewPlainLinesAreReadWithoutRspamd() throws {
    #expect(
      try signing(["local.d/dkim_signing.conf": Self.plain])
        == #"{"path":"/vault/dkim/$domain.$selector.key","selector":"202001","use_esld":false}"#)
    #expect(
      try signing(["local.d/dkim_signing.conf": Self.plain, "override.d/dkim_signing.conf": "selector = \"2026\";\n"])
        == #"{"path":"/vault/dkim/$domain.$selector.key","use_esld":false,"selector":"2026"}"#)
  }

  @Test(arguments: [
    ["local.d/dkim_signing.conf": plain + "\ndomain {\n}\n"],
    ["local.d/dkim_signing.conf": plain + "\n.include \"/x\"\n"],
    ["local.d/dkim_signing.conf": "path = \"/a\"; selector = \"b\";\n"],
    ["local.d/dkim_signing.conf": "selector = \"b\";\n"],
    ["local.d/dkim_signing.conf": plain, "dynamic/dkim_signing.conf": ""],
    ["local.d/dkim_signing.conf": plain, "rspamd.conf.local": "dkim_signing { path = \"/x\"; }"], [:],
  ])
  func whatIsNotThatSimpleIsRspamdsToSay(_ files: [String: String]) throws {
    #expect(try signing(files) == nil)
  }
}
