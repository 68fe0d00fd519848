import COpenSSL
import Foundation
import Testing

@testable import MailHostProof

/// Signatures of mail, against one that a real rspamd 3.12 has made, and the examples of RFC 6376.
struct SignatureTests {
  /// The public half of a key that was thrown away.
  private final class PublicKey {
    let pointer: OpaquePointer

    init(_ base64: String) throws {
      let bytes = [UInt8](try #require(Data(base64Encoded: base64)))
      pointer = try #require(
        bytes.withUnsafeBufferPointer { buffer in
          var cursor = buffer.baseAddress
          return d2i_PUBKEY(nil, &cursor, buffer.count)
        })
    }

    deinit { EVP_PKEY_free(pointer) }
  }

  private static let key =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwGvVvUPrUbxPNruEo3ctRpTIBAIusyXbfdElbOfztu49WUOBF+WFeg0nIny4YuKC"
    + "EblnUvodr03EKSrdJ+jwioI37AWiHROMAEfnDAjTw88oDnSsBALjCVyzQ5TCnWHGxoRakgQPImBcYFP8qXOjkjEMFiP8NS+tEsUOPe1w7FU1"
    + "fhnLYaUX723Nxd5eOSRKiQwm1jivEfPq0hI7+WJ1rq3FZmXTNG5IpShGz9/N1MfOqa8vqnCvIOo1HasdGjW6xeGKYd6tRH/srs6v9uMzQSOR"
    + "O2k8dPccLgt0MWxAOzNBiGH/LNvI0BQDmqAxmBLy9OZVsMGJ5LgfFgL469aQnQIDAQAB"

  private static let otherKey =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmJL4tI1CBYnAGD8EjSCzePDNpC+AO3uF+AFyXimGnc5pSPLkAgP14lbc6pfnup3n"
    + "uHVBZNqrkNhrO0eznuBl7VcPlH7nGXlKLaNIlU6PtYpM5vpS5xKqosf6iflDYeeIIRwa0v39bziDPH2lHvhl7qALg6JnGBAbo/xjolYuTgcZ"
    + "cAWgEwZDwotYCYCkvuUZDMo9+HjOujvcvSx5yU6VxPq5GXc2JwJlsZ4IBMpP4Gmp7X1pnf2JqT5kJ318D+jO7/W4XLC+UIPVtJyxG0pAyfSP"
    + "0YfLVYboFEcd78fxIiIVK9mQ5Y31Cvm5JgaH/koAjK/QemiAHB1T2HWLq4fTZQIDAQAB"

  private static let mail = """
    Return-Path: <alice@example.org>
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=202001;
    \tt=1796036433;
    \th=from:from:reply-to:subject:subject:date:date:message-id:message-id:
    \t to:to:cc:mime-version:mime-version:content-type:content-type:
    \t content-transfer-encoding:content-transfer-encoding;
    \tbh=ea6gwCnGIqlYkbUF0oSUnBMevHDMOesQjP9dhed48rg=;
    \tb=bVDHHQp/ADreQ40JkghCeHQajHdCdb3v8yxLkpy4IAzH82+aeZTeaOSqkVe8wTFThyah1U
    \teBg7ParNbztDObulNqwmJ7zd3oaZJPV6srk7MOBwQdryki0F2ndmAMGb12uhCTkP5KzRho
    \tEgpdTBjzgBs9aeGtABoqSPHnRK7Zngx9XZldh4UOlqrC4zvEc3LgUpLE+VXSDc2ofIk6wD
    \toNpWJPrvVd9+etDzwM+RHXBJ1tG+0xBIFT89ddunUjamFRrOlUNo1SqJcRoJiHb3Z6sHD8
    \t3U2pXEhFnBIdrzmN+vo3M1cTO/XZpdYxB3FBW7NHUcbNPc98PvhyYmfTPdeFFw==
    From: alice@example.org
    To: bob@example.org
    Subject: fixture-mail
    Date: Mon, 30 Nov 2026 11:00:33 -0000
    Message-ID: <179603643300.1263.12588426004144072802@example.org>
    Content-Type: text/plain; charset="utf-8"
    Content-Transfer-Encoding: 7bit
    MIME-Version: 1.0

    A mail that tests whether this host delivers.

    """

  private func verify(
    _ text: String, domain: String = "example.org", selector: String = "202001", key: String = key
  ) throws -> String {
    let key = try PublicKey(key)
    let mail = SignedMessage(Array(text.replacingOccurrences(of: "\n", with: "\r\n").utf8))
    return try mail.verifySignature(domain: domain, selector: selector, key: key.pointer)
  }

  private func fault(_ change: (String) -> String) -> String? {
    do {
      _ = try verify(change(Self.mail))
      return nil
    } catch {
      return (error as? SignatureFault)?.text
    }
  }

  @Test func whatRspamdHasSignedVerifies() throws {
    #expect(try verify(Self.mail).contains("d=example.org s=202001"))
  }

  /// Relaxed: blanks and empty lines at the end may change on the way.
  @Test func whatServersChangeOnTheWayDoesNotMatter() {
    #expect(fault { $0.replacingOccurrences(of: "Subject: fixture", with: "subject:   fixture") } == nil)
    #expect(fault { $0 + "\n\n" } == nil)
    #expect(fault { $0.replacingOccurrences(of: "mail that tests", with: "mail  that tests") } == nil)
    #expect(fault { "X-Other: yes\n" + $0 } == nil)
  }

  @Test func anyOtherChangeDoes() {
    #expect(fault { $0.replacingOccurrences(of: "delivers", with: "deliverx") } == "the body is not what was signed")
    #expect(
      fault { $0.replacingOccurrences(of: "To: bob@", with: "To: eve@") } == "the signature does not verify")
    // Signed is also that there is no second one.
    #expect(
      fault { $0.replacingOccurrences(of: "To: bob", with: "From: eve@example.net\nTo: bob") }
        == "the signature does not verify")
    #expect(fault { $0.replacingOccurrences(of: "s=202001", with: "s=202002") }?.contains("202002") == true)
    #expect(
      fault { $0.replacingOccurrences(of: "DKIM-Signature", with: "X-Signature") } == "the mail left unsigned")
    #expect(
      fault { $0.replacingOccurrences(of: "d=example.org", with: "d=example.net") }
        == "the mail has no signature of example.org")
  }

  @Test func anotherKeyDoesNotVerifyIt() {
    #expect(throws: SignatureFault("the signature does not verify")) {
      try verify(Self.mail, key: Self.otherKey)
    }
  }

  /// RFC 6376, 3.4.5: `C` is a space, `D` a tab.
  @Test func bodiesAreAsTheStandardHasThem() {
    let mail = SignedMessage(Array("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n".utf8))
    #expect(mail.canonicalBody(isRelaxed: true) == Array(" C\r\nD E\r\n".utf8))
    #expect(mail.canonicalBody(isRelaxed: false) == Array(" C \r\nD \t E\r\n".utf8))
    #expect(mail.fields.map(\.name) == ["a", "b"])
    #expect(mail.value(of: "B") == "Y Z")
    let empty = SignedMessage(Array("A: X\r\n\r\n".utf8))
    #expect(empty.canonicalBody(isRelaxed: true).isEmpty)
    #expect(empty.canonicalBody(isRelaxed: false) == [13, 10])
  }

  @Test func onlyTheValueOfTheSignatureIsLeftOut() {
    let value = Array(" v=1; b = abc\r\n\tdef; bh=xyz; h=b".utf8)
    #expect(SignedMessage.withoutSignature(value) == Array(" v=1; b =; bh=xyz; h=b".utf8))
  }
}
