import COpenSSL
import HostChecks

/// Why a signature is none.
struct SignatureFault: Error, Equatable {
  var text: String

  init(_ text: String) { self.text = text }
}

extension SignedMessage {
  /// Verifies the DKIM signature of a domain (RFC 6376) with the key itself: no record of the DNS is asked for.
  ///
  /// Only what hosts like this one sign with: rsa-sha256 over the whole body.
  /// - Returns: what the signature says of itself.
  func verifySignature(
    domain: String, selector: String, key: OpaquePointer
  ) throws(SignatureFault) -> String {
    let signatures = fields.filter { $0.name == "dkim-signature" }
    guard !signatures.isEmpty else { throw SignatureFault("the mail left unsigned") }
    guard let field = signatures.first(where: { Self.tags($0.value)["d"] == domain }) else {
      throw SignatureFault("the mail has no signature of \(domain)")
    }
    let tags = Self.tags(field.value)
    guard tags["s"] == selector else {
      throw SignatureFault("signed with the selector \(tags["s"] ?? "?"), not \(selector)")
    }
    guard tags["a"] == "rsa-sha256", tags["l"] == nil else {
      throw SignatureFault("signed by \(tags["a"] ?? "?"), expected rsa-sha256 of the whole body")
    }
    let ways = (tags["c"] ?? "simple/simple").split(separator: "/")
    let (headerWay, bodyWay) = (ways.first ?? "simple", ways.count > 1 ? ways[1] : "simple")
    guard base64(Self.sha256(canonicalBody(isRelaxed: bodyWay == "relaxed"))) == tags["bh"] else {
      throw SignatureFault("the body is not what was signed")
    }
    guard let signature = tags["b"].flatMap(decodedBase64), let names = tags["h"] else {
      throw SignatureFault("the signature cannot be read")
    }
    let signed = canonicalHeader(names.split(separator: ":").map(String.init), field, isRelaxed: headerWay == "relaxed")
    guard Self.isValid(signature, over: signed, key: key) else { throw SignatureFault("the signature does not verify") }
    return "d=\(domain) s=\(selector) a=rsa-sha256 verifies with the key on the disk"
  }

  /// `name=value` pairs; blanks within values are for folding.
  static func tags(_ value: [UInt8]) -> [String: String] {
    var tags: [String: String] = [:]
    for part in String(decoding: value, as: UTF8.self).split(separator: ";") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { continue }
      let (name, text) = (pair[0].filter { !$0.isWhitespace }, pair[1].filter { !$0.isWhitespace })
      tags[name] = text
    }
    return tags
  }

  /// The signed fields in their order, of several of one name the last one first, then the signature itself without its value.
  private func canonicalHeader(_ names: [String], _ signature: Field, isRelaxed: Bool) -> [UInt8] {
    var unused = fields
    var result: [UInt8] = []
    for name in names {
      // A name without a field signs that there is none.
      guard let index = unused.lastIndex(where: { $0.name == name.lowercased() }) else { continue }
      let field = unused.remove(at: index)
      result += Self.line(isRelaxed ? field.name : name, field.value, isRelaxed) + Self.lineEnd
    }
    let name = isRelaxed ? signature.name : "DKIM-Signature"
    return result + Self.line(name, Self.withoutSignature(signature.value), isRelaxed)
  }

  private static func line(_ name: String, _ value: [UInt8], _ isRelaxed: Bool) -> [UInt8] {
    Array((name + ":").utf8) + (isRelaxed ? relaxed(value) : value)
  }

  /// With nothing after `b=`.
  static func withoutSignature(_ value: [UInt8]) -> [UInt8] {
    let parts = value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { part -> [UInt8] in
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return Array(part) }
      let name = part[..<equals].filter { ![0x20, 0x09, 0x0d, 0x0a].contains($0) }
      return name.elementsEqual("b".utf8) ? Array(part[...equals]) : Array(part)
    }
    return Array(parts.joined(separator: [UInt8(ascii: ";")]))
  }

  private static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
    return digest
  }

  private static func isValid(_ signature: [UInt8], over bytes: [UInt8], key: OpaquePointer) -> Bool {
    guard let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      // A signature that is wrong leaves an error there.
      ERR_clear_error()
    }
    return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
  }
}
