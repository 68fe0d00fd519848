import MailbootCore
import Testing

@testable import MailHost

private func read(_ text: String) throws -> YAMLNode { try YAMLReader.read(text, file: "all.yml") }

/// The values alone, as a text that is short to compare: texts in quotes as Swift has them.
private func shown(_ node: YAMLNode) -> String {
  let tag = node.tag.map { $0 + " " } ?? ""
  switch node.value {
  case .null: return tag + "null"
  case .scalar(let text, let isPlain): return tag + (isPlain ? text : text.debugDescription)
  case .list(let items): return tag + "[" + items.map(shown).joined(separator: ", ") + "]"
  case .map(let entries):
    return tag + "{" + entries.map { "\($0.key): \(shown($0.value))" }.joined(separator: ", ") + "}"
  }
}

@Test(arguments: [
  ("", "null"), ("---\n# nothing\n", "null"), ("a: 1\nb:\nc: ~\n", "{a: 1, b: null, c: null}"),
  ("a: b # why\n#c: d\n'e f': g#h\n\"i\" : j\n", "{a: b, e f: g#h, i: j}"),
  (
    "a:\n- x\n- y: 1\n  z: 2\n-\n  - deep\n- - one\n  - two\nb: 2\n", "{a: [x, {y: 1, z: 2}, [deep], [one, two]], b: 2}"
  ),
  ("a:\n    b:\n        c: 1\n    d: 2\n", "{a: {b: {c: 1}, d: 2}}"),
  ("a: { x: 1, \"y\": [p, 'q r'], z: }\nb: []\n", "{a: {x: 1, y: [p, \"q r\"], z: null}, b: []}"),
  ("a: [ one,  # first\n  two,\n ]\n", "{a: [one, two]}"), ("{\"a\": \"b\", \"c\": [true]}", "{a: \"b\", c: [true]}"),
  ("a: 'it''s'\nb: \"x\\ty\\u00e9\\\\\"\n", "{a: \"it\\'s\", b: \"x\\ty\u{e9}\\\\\"}"),
  ("a: \"one\n  two\n\n  three\"\n", "{a: \"one two\\nthree\"}"), ("a: one\n  two\nb: 1\n", "{a: one two, b: 1}"),
  ("a: >-\n  one\n  two\n\n  three\nb: 1\n", "{a: \"one two\\nthree\", b: 1}"),
  ("a: |\n  one\n    two\n\nb: 1\n", "{a: \"one\\n  two\\n\", b: 1}"),
  ("a: |+\n  one\n\nb: >\n  x\n", "{a: \"one\\n\\n\", b: \"x\\n\"}"),
  (
    "a: !vault |\n  $ANSIBLE_VAULT;1.1\n  6162\nb: !unsafe 'x'\n",
    "{a: !vault \"$ANSIBLE_VAULT;1.1\\n6162\\n\", b: !unsafe \"x\"}"
  ),
  ("a: \"{{ b }}/c\"\nurl: http://x:80/y\n", "{a: \"{{ b }}/c\", url: http://x:80/y}"), ("- a\r\n- b\r\n", "[a, b]"),
  ("\u{feff}a: 1\n...\n", "{a: 1}"), ("a: 1\na: 2\n", "{a: 1, a: 2}"), ("plain\n", "plain"),
  ("a: -1\nb: - \n", "{a: -1, b: -}"),
])
func valuesAreReadAsYAMLHasThem(text: String, expected: String) throws {
  #expect(shown(try read(text)) == expected)
}

@Test func everyValueKnowsItsPlace() throws {
  let node = try read("a: 1\nb:\n  - c: [x,\n      y]\n")
  #expect(node["b"]?.origin == Origin(file: "all.yml", line: 3, column: 3))
  guard case .list(let items)? = node["b"]?.value, case .list(let inner)? = items.first?["c"]?.value else {
    Issue.record("no list")
    return
  }
  #expect(inner.map(\.origin.line) == [3, 4])
  #expect(inner.map(\.origin.column) == [9, 7])
}

@Test(arguments: [
  ("a: b: c\n", 1, 5, "colon"), ("a: {{ b }}\n", 1, 4, "{{"), ("a: [1, 2\nb: 3\n", 2, 1, "between brackets"),
  ("a: [1, 2\n", 1, 4, "has no end"),
  ("a: \"x\n", 1, 4, "has no end"), ("a: 1\n  b: 2\n", 2, 4, "colon"), ("a:\n   b: 1\n  c: 2\n", 3, 3, "indented"),
  ("a: &x 1\n", 1, 4, "anchor"), ("a: *x\n", 1, 4, "anchor"), ("a: 'x' y\n", 1, 8, "behind the end"),
  ("a: 1\n---\nb: 2\n", 2, 1, "second document"), ("a:\n\tb: 1\n", 2, 1, "tab"), ("a: 1\nnonsense\n", 2, 1, "no entry"),
  ("a: \"\\q\"\n", 1, 5, "escape"), ("a: |x\n  y\n", 1, 4, "beginning of a text"),
  ("a: @b\n", 1, 4, "keeps for itself"),
  ("a: [b c: {d]\n", 1, 8, "between brackets"), ("a: 'x'#y\n", 1, 7, "behind the end"),
  ("- a\nb: 1\n", 2, 1, "indented less"),
])
func whatIsNoYAMLIsNamedWithItsPlace(text: String, line: Int, column: Int, word: String) throws {
  let error = try #require(throws: ConfigurationError.self) { try read(text) }
  let issue = try #require(error.issues.first)
  #expect(issue.message.contains(word), "\(issue.message)")
  #expect(issue.origin == Origin(file: "all.yml", line: line, column: column))
}

@Test func nestingHasAnEnd() throws {
  for text in ["a: " + String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000)] {
    let error = try #require(throws: ConfigurationError.self) { try read(text) }
    #expect(error.issues.first?.message == "is nested too deeply")
  }
}

/// No text, however cut or garbled, ends otherwise than with a value or an error.
@Test func noTextBringsTheReaderDown() {
  let text =
    "---\na: !vault |\n  x\nb: [ {c: 'd', \"e\\u00e9\": f}, g ]\nh:\n  - i: >-\n      j\n    k: \"l\n      m\"\n"
  let characters = Array(text)
  for length in 0...characters.count {
    _ = try? read(String(characters[..<length]))
    for sign in ["[", "}", "\"", "-", " ", "\n", ":", "#", "\t"] {
      _ = try? read(String(characters[..<length]) + sign + String(characters[length...]))
    }
  }
  #expect(throws: Never.self) { try read(text) }
}
