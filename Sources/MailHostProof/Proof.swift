import MailbootCore

/// What one look at the mail host's behaviour came to.
public typealias Proof = HostTestRecord.Test
