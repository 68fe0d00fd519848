/// `text` as one word of a shell command: commands in hints are meant to be pasted. What a terminal would act on is written as an
/// escape, in the quotes of bash and zsh that know escapes.
public func shellWord(_ text: String) -> String {
  if !text.isEmpty, text.utf8.allSatisfy(isSafe) { return text }
  guard text.unicodeScalars.allSatisfy(\.isHarmless) else { return "$'" + text.utf8.map(escaped).joined() + "'" }
  return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

private func isSafe(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
  case UInt8(ascii: "0")...UInt8(ascii: "9"): true
  case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "@"): true
  default: false
  }
}

private func escaped(_ byte: UInt8) -> String {
  if isSafe(byte) { return String(Unicode.Scalar(byte)) }
  let digits = String(byte, radix: 16)
  return "\\x" + (digits.count < 2 ? "0" : "") + digits
}
