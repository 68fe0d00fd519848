import SecretMemory
import Testing

@testable import MailAccounts

@Suite struct StoredHashTests {
  /// Vectors of the authors of each scheme, and hashes made by openssl, htpasswd, mkpasswd and argon2(1).
  private static let vectors: [(stored: String, password: String, scheme: String, isStrong: Bool)] = [
    (
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world!", "SHA512-CRYPT", false
    ),
    (
      "{SHA512-CRYPT}$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/"
        + "YTBmSK6H9qs/y3RnOaw5v.", "Hello world!", "SHA512-CRYPT", false
    ),
    (
      "{sha512-crypt}$6$rounds=100000$saltsalt12345678$MHPmAN0ggZ2wnc7Gu/7xbQ7iUAqg6/ugfsnmQBNDl0seJcUdCgB0Hg."
        + "6pht07hH7rXSGYyoLNoE29bwR482Ps1", "correct horse", "SHA512-CRYPT", true
    ),
    (
      "{CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", "SHA256-CRYPT", false
    ),
    ("$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", "MD5-CRYPT", false),
    ("{MD5-CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", "MD5-CRYPT", false),
    ("{MD5}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", "MD5-CRYPT", false),
    ("abNANd1rDfiNc", "secret", "DES-CRYPT", false),
    ("{CRYPT}abNANd1rDfiNc", "secret", "DES-CRYPT", false),
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "BLF-CRYPT", false),
    (
      "{BLF-CRYPT}$2y$10$NokntV./sNNZ8GFxlqgelu96EJCWF3Y9nZR1eNFEnVIQholpx4GuO", "correct horse", "BLF-CRYPT", true
    ),
    ("$2y$12$Hwd4XouQ7kbdmt9e0cf5pevwpOfqPNqOuEcV/OBVVnqJqY8DkzHKC", "pässwörd", "BLF-CRYPT", true),
    (
      "{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password",
      "ARGON2ID", true
    ),
    (
      "{Argon2id}$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk",
      "correct horse", "ARGON2ID", true
    ),
    (
      "{ARGON2I}$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "password",
      "ARGON2I", true
    ),
    (
      "{ARGON2I}$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ", "password",
      "ARGON2I",
      false
    ),
    (
      "$y$j9T$2INX11THqBPNZPkjM4FRV0$rNWMKfaBJaKcWMT2yPy6p.QaLvKMHLZv9bdvv6i4DL8", "correct horse", "YESCRYPT", true
    ),
    (
      "{CRYPT}$gy$j9T$Jm9j.VEqIiaMY9IO/LQs5/$Cjwm/Z2NgEfoPP08lm3EGNsV6nODhWvWzHOioKUK/I0", "secret", "GOST-YESCRYPT",
      true
    ),
    ("$7$CU..../....w3iEzZVBcJg5lXtLDkH4Y/$pI4PkXGwonC2hD8ALywi8GOIKjvlHasC9cTnzcqG5/4", "secret", "SCRYPT", true),
    ("{PLAIN}secret", "secret", "PLAIN", false),
    ("{CLEARTEXT}{x}$6$!", "{x}$6$!", "CLEARTEXT", false),
  ]

  @Test(arguments: vectors.indices)
  func aKnownHashMatchesItsPasswordAndNoOther(index: Int) throws {
    let (stored, password, scheme, isStrong) = Self.vectors[index]
    let hash = StoredHash(stored)
    #expect(hash.scheme == scheme, "\(stored)")
    #expect(hash.strength == (isStrong ? .strong : .old), "\(stored)")
    #expect(try matches(stored, password) == true, "\(stored)")
    for wrong in ["", password + "?", String(password.dropLast())] {
      #expect(try matches(stored, wrong) == false, "\(stored) \(wrong)")
    }
  }

  @Test(arguments: [
    "", "!", "*", "!!", "*LK*", "!$6$saltsalt$x", "{CRYPT}", "{CRYPT}!", "{SHA512-CRYPT}*", "{ARGON2ID}", "{PLAIN}",
  ])
  func aDisabledAccountMatchesNothing(stored: String) throws {
    #expect(StoredHash(stored).strength == .disabled)
    #expect(StoredHash(stored).scheme == nil)
    #expect(try matches(stored, "") == false)
    #expect(try matches(stored, "!") == false)
  }

  @Test(arguments: [
    "secret", "plain text", "$", "$$", "$6$", "$6$salt", "$6$salt$short", "$6$rounds=x$salt$", "$2y$12$short", "$9$a$b",
    "{", "{}x", "{FOO}bar", "{ARGON2ID}$argon2id$", "{ARGON2ID}secret", "{CRYPT}secret", "{BLF-CRYPT}$2y$xx$abc",
    // Cut off.
    "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO",
    // crypt(3), which reads what has no prefix, does not know this one.
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    // Of the other kind.
    "{ARGON2I}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    // 1 TiB, which would be allocated.
    "{ARGON2ID}$argon2id$v=19$m=1073741824,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "{ARGON2ID}$argon2id$v=19$m=-1,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  ])
  func whatIsNoHashIsUnreadable(stored: String) throws {
    #expect(StoredHash(stored).strength == .unreadable)
    #expect(StoredHash(stored).scheme == nil)
    #expect(try matches(stored, "secret") == nil)
  }

  @Test(arguments: [
    ("{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", "SHA256"),
    ("{ssha512}abc", "SSHA512"),
    ("{SHA256.HEX}2bb80d53", "SHA256"),
    ("{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6", "CRAM-MD5"),
    ("{PBKDF2}$1$abc$5000$0123", "PBKDF2"),
    ("{PLAIN.B64}c2VjcmV0", "PLAIN"),
  ])
  func aSchemeThatOnlyDovecotChecksIsOld(stored: String, scheme: String) throws {
    #expect(StoredHash(stored).scheme == scheme)
    #expect(StoredHash(stored).strength == .old)
    #expect(try matches(stored, "secret") == nil)
  }

  @Test(arguments: [
    ("{ARGON2ID}$argon2id$v=19$m=7168,t=5,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", true),
    ("{ARGON2ID}$argon2id$v=19$m=4096,t=9,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false),
    ("{ARGON2ID}$argon2id$v=19$m=19456,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false),
    ("{ARGON2ID}$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false),
    ("$2y$09$Hwd4XouQ7kbdmt9e0cf5pevwpOfqPNqOuEcV/OBVVnqJqY8DkzHKC", false),
    ("$2x$12$Hwd4XouQ7kbdmt9e0cf5pevwpOfqPNqOuEcV/OBVVnqJqY8DkzHKC", false),
  ])
  func aHashIsStrongByItsCost(stored: String, isStrong: Bool) {
    #expect(StoredHash(stored).strength == (isStrong ? .strong : .old))
  }

  /// For a C string the password would end at the NUL.
  @Test(arguments: ["abNANd1rDfiNc", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"])
  func aPasswordWithANULMatchesNoHashOfItsBeginning(stored: String) throws {
    let password = try secret(Array("secret\0x".utf8))
    #expect(try StoredHash(stored).matches(password) == false)
  }

  @Test func aPasswordTooLongForCryptDoesNotMatch() throws {
    #expect(try matches("$1$saltsalt$9xy1btjgzLYfb7hivXtC//", String(repeating: "s", count: 1024)) == false)
  }
}
